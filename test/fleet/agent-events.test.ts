import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import {
  configMap,
  type MadeAgent,
  type MadeGenerator,
  makeAgent,
  makeGenerator,
  makeStack,
  ok,
  report,
  submit,
  target,
} from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

let clock: TestClock;
let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stack: Awaited<ReturnType<typeof makeStack>>;
beforeAll(async () => {
  clock = clockAt('2026-03-01T12:00:00.000Z');
  host = await startTestHost({ clock });
  generator = await makeGenerator(host);
});
afterAll(() => host.stop());
beforeEach(async () => {
  agent = await makeAgent(host, { generators: [generator] });
  stack = await makeStack(host, generator, { yaml: configMap('one') });
  await target(host, agent, stack);
});
const events = () => ok(host.admin.get(`/agents/${agent.id}/events`));
const later = () => clock.pass(1_000);

describe('a repeated report', () => {
  test('a repeated report stores no new event and only moves updated_at', async () => {
    const first = await ok(report(agent, stack.deploymentObjectId, { message: 'ok' }));
    later();
    const again = await ok(report(agent, stack.deploymentObjectId, { message: 'ok' }));
    expect(again).toEqual({ ...first, updated_at: '2026-03-01T12:00:01.000Z' });
    expect(await events()).toEqual([again]);
    expect(await ok(host.admin.get(`/agent-events/${first.id}`))).toEqual(again);
    expect((await ok(host.admin.get('/agent-events'))).filter(({ id }: { id: string }) => id === first.id)).toEqual([again]);
  });

  test('equal reports that arrive at once are stored as one event', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => report(agent, stack.deploymentObjectId)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await events()).toHaveLength(1);
  });

  test('reports with ids of their own are events of their own, and one that is delivered twice is one', async () => {
    const details = (report_id: string) => ({ objects_total: 1, counts: { corrected: 1 }, objects: [], report_id });
    const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222', '33333333-3333-4333-8333-333333333333'];
    for (const id of ids)
      for (let times = 0; times < 2; times += 1) await ok(report(agent, stack.deploymentObjectId, { details: details(id) }));
    expect((await events()).map((event: { details: { report_id: string } }) => event.details.report_id).sort()).toEqual(ids);
  });

  test('a repeated report is recognized although its duration differs', async () => {
    const details = (duration_ms: number) => ({ objects_total: 1, counts: { created: 1 }, objects: [], duration_ms });
    const first = await ok(report(agent, stack.deploymentObjectId, { details: details(5) }));
    expect(await ok(report(agent, stack.deploymentObjectId, { details: details(900) }))).toMatchObject({ id: first.id });
    expect(await ok(report(agent, stack.deploymentObjectId, { details: { ...details(5), counts: { created: 2 } } }))).not.toMatchObject({
      id: first.id,
    });
  });
});

describe('a different report', () => {
  const OTHERS: Record<string, Record<string, unknown>> = {
    'another message': { message: 'no quota' },
    'another status': { status: 'FAILURE' },
    'another type': { event_type: 'REMOVE' },
    'no message any more': { message: null },
    'other details': { message: 'ok', details: { objects_total: 0, counts: {}, objects: [] } },
  };
  test.each(Object.entries(OTHERS))('a report with %s is a new event', async (_what, change) => {
    const first = await ok(report(agent, stack.deploymentObjectId, { message: 'ok' }));
    later();
    const second = await ok(report(agent, stack.deploymentObjectId, change));
    expect(second.id).not.toBe(first.id);
    later();
    const third = await ok(report(agent, stack.deploymentObjectId, { message: 'ok' }));
    // The list is newest first. A report that repeats an earlier one, but not the latest one, is a new event.
    expect(await events()).toEqual([third, second, first]);
  });
  test('reports on another deployment object or by another agent are new events', async () => {
    const newer = await submit(host, stack.id, configMap('two'));
    const other = await makeAgent(host);
    const ids = [await report(agent, stack.deploymentObjectId), await report(agent, newer.id), await report(other, newer.id)].map(
      ({ body }) => body.id,
    );
    expect(new Set(ids).size).toBe(3);
  });
});

test('an event is stored as it was reported, with null for each absent member', async () => {
  const details = {
    stack_id: stack.id,
    objects_total: 1,
    counts: { failed: 1 },
    objects: [{ api_version: 'v1', kind: 'ConfigMap', namespace: null, name: 'one', action: 'failed', message: 'ü' }],
  };
  const event = await ok(report(agent, stack.deploymentObjectId, { status: 'FAILURE', message: 'no\nquota', details }));
  const now = new Date(clock.nowMs()).toISOString();
  const expected = {
    created_at: now,
    updated_at: now,
    deleted_at: null,
    agent_id: agent.id,
    deployment_object_id: stack.deploymentObjectId,
  };
  expect(event).toEqual({ ...expected, id: expect.any(String), event_type: 'DEPLOY', status: 'FAILURE', message: 'no\nquota', details });
  expect(await ok(host.admin.get(`/agent-events/${event.id}`))).toEqual(event);
  expect(await ok(report(agent, stack.deploymentObjectId))).toMatchObject({ message: null, details: null });
});

describe('a malformed report', () => {
  const BAD: Record<string, [status: number, change: Record<string, unknown>]> = {
    'on an unknown deployment object': [422, { deployment_object_id: crypto.randomUUID() }],
    "in another agent's name": [400, { agent_id: crypto.randomUUID() }],
    'without a type': [422, { event_type: '' }],
    'with a type of 51 characters': [422, { event_type: 'x'.repeat(51) }],
    'without a status': [422, { status: '' }],
    'with a status of 11 characters': [422, { status: 'x'.repeat(11) }],
    'with a message that is too long': [422, { message: 'x'.repeat(32_769) }],
    'with more than 200 outcomes': [
      422,
      {
        details: {
          objects_total: 201,
          counts: {},
          objects: Array(201).fill({ api_version: 'v1', kind: 'K', namespace: null, name: 'n', action: 'created' }),
        },
      },
    ],
  };
  test.each(Object.entries(BAD))('a report %s is refused', async (_what, [status, change]) => {
    expect(await report(agent, stack.deploymentObjectId, change)).toMatchObject({ status });
    expect(await events()).toEqual([]);
  });
});

test('a late report on an older deployment object does not replace the latest report', async () => {
  const { database } = host.app.services;
  const result = async () => database.get('fleet', { pk: `AGENT#${agent.id}`, sk: `RESULT#${stack.id}` });
  const newer = await submit(host, stack.id, configMap('two'));
  await ok(report(agent, newer.id));
  const late = await ok(report(agent, stack.deploymentObjectId, { status: 'FAILURE' }));
  expect(await result()).toMatchObject({ deployment_object_id: newer.id, sequence: newer.sequence_id, status: 'SUCCESS' });
  // The late report is listed as history.
  expect((await events()).map(({ id }: { id: string }) => id)).toContain(late.id);
  await ok(report(agent, newer.id, { status: 'FAILURE' }));
  expect(await result()).toMatchObject({ deployment_object_id: newer.id, status: 'FAILURE' });
});

test("events expire after their retention, but the agent's latest report is still known", async () => {
  const event = await ok(report(agent, stack.deploymentObjectId));
  clock.pass(31 * 86_400_000);
  expect(await host.admin.get(`/agent-events/${event.id}`)).toMatchObject({ status: 404 });
  expect(await events()).toEqual([]);
  expect(await ok(agent.api.get(`/agents/${agent.id}/target-state?mode=incremental`))).toEqual([]);
  const again = await ok(report(agent, stack.deploymentObjectId));
  expect(again.id).not.toBe(event.id);
  expect(await events()).toEqual([again]);
});

test("the fleet's list of events is newest first over several days, and pak_id narrows it to one tenant's agents", async () => {
  const first = await ok(report(agent, stack.deploymentObjectId, { message: 'one' }));
  clock.pass(3 * 86_400_000);
  const second = await ok(report(agent, stack.deploymentObjectId, { message: 'two' }));
  const stranger = await makeGenerator(host);
  const own = await makeStack(host, stranger, { yaml: configMap('own') });
  const theirAgent = await makeAgent(host, { generators: [stranger] });
  await target(host, theirAgent, own);
  const theirs = await ok(report(theirAgent, own.deploymentObjectId));
  const list = async (query = '') => (await ok(host.admin.get(`/agent-events${query}`))).map(({ id }: { id: string }) => id);
  expect((await list()).filter((id: string) => [first.id, second.id].includes(id))).toEqual([second.id, first.id]);
  expect(await list(`?pak_id=${stranger.id}`)).toEqual([theirs.id]);
  expect(await list(`?pak_id=${crypto.randomUUID()}`)).toEqual([]);
  expect(await list(`?pak_id=${generator.id}`)).toEqual(expect.arrayContaining([first.id, second.id]));
});

test('an agent with many reports hides no events of other agents, neither while it exists nor after its deletion', async () => {
  const stranger = await makeGenerator(host);
  const noisy = await makeAgent(host, { generators: [stranger] });
  const own = await makeStack(host, stranger, { yaml: configMap('own') });
  await target(host, noisy, own);
  const quiet = await ok(report(agent, stack.deploymentObjectId, { message: 'quiet' }));
  clock.pass(1_000);
  for (let batch = 0; batch < 26; batch++) {
    const reports = Array.from({ length: 20 }, (_, n) =>
      ok(report(noisy, own.deploymentObjectId, { message: `${batch} ${n}`, event_type: `E${n}` })),
    );
    await Promise.all(reports);
  }
  const list = async (path: string) => (await ok(host.admin.get(path))).map(({ id }: { id: string }) => id);
  expect(await list('/agent-events')).toHaveLength(500);
  expect(await list('/agent-events')).not.toContain(quiet.id);
  expect(await list(`/agent-events?pak_id=${generator.id}`)).toContain(quiet.id);
  await ok(host.admin.delete(`/agents/${noisy.id}`));
  expect(await list('/agent-events')).toContain(quiet.id);
});

test('many different reports at once on one deployment object are all stored', async () => {
  const reports = Array.from({ length: 30 }, (_, n) => report(agent, stack.deploymentObjectId, { message: `report ${n}` }));
  expect((await Promise.all(reports)).map(({ status }) => status)).toEqual(Array(30).fill(201));
});
