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

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stacks: Awaited<ReturnType<typeof makeStack>>[];
beforeAll(async () => {
  // The sweep may notify an agent a second time of the same change.
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  generator = await makeGenerator(host);
});
afterAll(() => host.stop());
beforeEach(async () => {
  agent = await makeAgent(host, { generators: [generator] });
  stacks = [];
  for (const name of ['one', 'two', 'three']) stacks.push(await makeStack(host, generator, { yaml: configMap(name) }));
  await Promise.all(stacks.map((stack) => target(host, agent, stack)));
});

type Wire = { id: string; stack_id: string; sequence_id: number };
const state = (query = '', etag?: string) =>
  agent.api.get(`/agents/${agent.id}/target-state${query}`, { headers: { 'if-none-match': etag } });
const ids = async (query = '') => (await ok(state(query))).map(({ id }: Wire) => id);
const objects = () => stacks.map(({ deploymentObjectId }) => deploymentObjectId).reverse();

test('the target state is the newest deployment object of each stack, newest first', async () => {
  const newest = await submit(host, stacks[0]?.id ?? '', configMap('newest'));
  const body = await ok(state());
  expect(body[0]).toEqual(newest);
  expect(body.map(({ id }: Wire) => id)).toEqual([newest.id, ...objects().slice(0, 2)]);
});

test('a target state without a mode is complete, whatever was reported, so that an agent that compares lists deletes nothing', async () => {
  for (const { deploymentObjectId } of stacks) await ok(report(agent, deploymentObjectId));
  expect(await ids()).toEqual(objects());
  expect(await ids('?mode=full')).toEqual(objects());
  expect(await ids('?mode=incremental')).toEqual([]);
});

test('an incremental target state leaves out deployment objects with a report of success or failure', async () => {
  const [one, two, three] = stacks.map(({ deploymentObjectId }) => deploymentObjectId);
  expect(await ids('?mode=incremental')).toEqual([three, two, one]);
  await ok(report(agent, one ?? ''));
  await ok(report(agent, three ?? '', { status: 'FAILURE' }));
  expect(await ids('?mode=incremental')).toEqual([two]);
  const newer = await submit(host, stacks[0]?.id ?? '', configMap('newer'));
  expect(await ids('?mode=incremental')).toEqual([newer.id, two]);
  // Another agent's report doesn't count.
  const other = await makeAgent(host, { generators: [generator] });
  await target(host, other, { id: stacks[1]?.id ?? '' });
  await ok(report(other, two ?? ''));
  expect(await ids('?mode=incremental')).toEqual([newer.id, two]);
});

test.each(['?mode=all', '?mode=', '?mode=FULL'])('an unknown mode (%s) is answered with 400', async (query) => {
  expect(await state(query)).toMatchObject({ status: 400, body: { message: expect.stringContaining('mode') } });
});

test('the target state has deletion markers, and no stack without a deployment object', async () => {
  await target(host, agent, await makeStack(host, generator));
  const marker = await submit(host, stacks[1]?.id ?? '', '', true);
  const body = await ok(state());
  expect(body).toHaveLength(3);
  expect(body[0]).toEqual(marker);
});

describe('a target state with an ETag', () => {
  test('an unchanged target state is answered with 304 until the revision moves', async () => {
    const { headers } = await state();
    expect(headers.etag).toMatch(/^".+"$/);
    expect(await state('', headers.etag)).toMatchObject({ status: 304, text: '' });
    await submit(host, stacks[0]?.id ?? '', configMap('newer'));
    expect(await state('', headers.etag)).toMatchObject({ status: 200 });
  });

  test("an incremental target state has no ETag, because a report changes it without moving the agent's revision", async () => {
    const { headers } = await state('?mode=incremental');
    expect(headers.etag).toBeUndefined();
  });

  test('the ETag of one mode does not count for the other mode', async () => {
    const full = (await state('?mode=full')).headers.etag;
    expect(await state('?mode=incremental', full)).toMatchObject({ status: 200 });
  });
});

test('the target state and all lists of an unknown agent are empty for an admin', async () => {
  const unknown = crypto.randomUUID();
  for (const part of ['target-state', 'stacks', 'labels', 'annotations', 'targets', 'events']) {
    expect(await host.admin.get(`/agents/${unknown}/${part}`)).toMatchObject({ status: 200, body: [] });
  }
  expect(await host.admin.get(`/agents/${unknown}/registrations`)).toMatchObject({ status: 404, body: { code: 'agent_not_found' } });
  expect(await host.admin.get(`/stacks/${unknown}/labels`)).toMatchObject({ status: 200, body: [] });
  expect(await host.admin.get(`/stacks/${unknown}/deployment-objects`)).toMatchObject({ status: 404, body: { code: 'stack_not_found' } });
});

const ANSWER_BYTES = 6 * 1000 * 1000;

test.each(['x', '名'])(
  'larger than an answer can be is refused whole, since a part of it would look like withdrawals (of %s)',
  async (letter) => {
    const yaml = `a: ${letter.repeat((1024 * 1024 - 10) / Buffer.byteLength(letter))}`;
    for (let n = 0; n < 7; n++) {
      await target(host, agent, await makeStack(host, generator, { yaml }));
      const { status, text, body } = await state();
      expect(Buffer.byteLength(text)).toBeLessThan(ANSWER_BYTES);
      if (status === 200) expect(body).toHaveLength(n + 4);
      else expect(body).toMatchObject({ code: 'target_state_too_large', message: expect.stringMatching(/fewer.*assignments/) });
    }
    expect((await state()).status).toBe(413);
    // The agent gets an error. Nobody is alarmed.
    expect(host.logged.filter((line) => line.includes('"error"'))).toEqual([]);
    // Our own agent fetches the deployment objects one by one.
    expect((await agent.assignments()).size).toBe(10);
  },
);

test("an explicit target lets an agent read the stack's labels, annotations and deployment object, but not the stack or its history", async () => {
  const [stack] = stacks;
  for (const path of [
    `/stacks/${stack?.id}/labels`,
    `/stacks/${stack?.id}/annotations`,
    `/deployment-objects/${stack?.deploymentObjectId}`,
  ]) {
    expect(await agent.api.get(path)).toMatchObject({ status: 200 });
  }
  for (const path of [`/stacks/${stack?.id}`, `/stacks/${stack?.id}/deployment-objects`]) {
    expect(await agent.api.get(path)).toMatchObject({ status: 403, body: { code: 'stack_not_owned' } });
  }
});
