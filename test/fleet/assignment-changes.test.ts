import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { agentKey } from '../../lib/fleet/fleet-table.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
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
  unique,
} from './fleet-builder.ts';

type Made = Awaited<ReturnType<typeof makeStack>>;
let host: TestHost;
let database: Database;
let whole: Database;
let generator: MadeGenerator;
let agent: MadeAgent;
let label: string;
let first: Made;
let second: Made;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  database = host.app.services.database;
  whole = { ...database };
});
afterAll(() => host.stop());
beforeEach(async () => {
  Object.assign(database, whole);
  label = unique('label');
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator], labels: [label] });
  [first, second] = (await Promise.all([1, 2].map(() => makeStack(host, generator, { labels: [label], yaml: configMap('one') })))) as [
    Made,
    Made,
  ];
});

const ask = (query = '') => ok(agent.api.get(`/agents/${agent.id}/assignments${query}`));
const askSince = ({ revision }: { revision: string }) => ask(`?since=${encodeURIComponent(revision)}`);
const names = ({ assignments }: { assignments: { stack_id: string }[] }) => assignments.map(({ stack_id }) => stack_id);

describe('an agent that names its revision', () => {
  test('gets only the stack that has a new deployment object', async () => {
    const held = await ask();
    const newest = await submit(host, second.id, configMap('two'));
    const changes = await askSince(held);
    expect(changes).toMatchObject({ since: held.revision, unlisted: [], assignments: [{ deployment_object_id: newest.id }] });
    expect(await askSince(changes)).toMatchObject({ since: changes.revision, assignments: [], unlisted: [] });
  });

  test('gets only the withdrawn stack, and later that the stack left the list', async () => {
    const held = await ask();
    await ok(generator.api.delete(`/stacks/${first.id}/labels/${label}`));
    const changes = await askSince(held);
    expect(changes.assignments).toMatchObject([{ stack_id: first.id, state: 'withdrawn' }]);
    await ok(report(agent, first.deploymentObjectId, { event_type: 'REMOVE' }));
    expect(await askSince(changes)).toMatchObject({ assignments: [], unlisted: [first.id] });
    expect(names(await ask())).toEqual([second.id]);
  });

  test('gets the same answer again if the answer was lost', async () => {
    const held = await ask();
    await submit(host, second.id, configMap('two'));
    await ok(generator.api.delete(`/stacks/${first.id}`));
    const lost = await askSince(held);
    expect(lost.assignments).toHaveLength(2);
    expect(await askSince(held)).toEqual(lost);
  });

  test('gets the newest state of a stack that changed several times', async () => {
    const held = await ask();
    await ok(generator.api.delete(`/stacks/${first.id}/labels/${label}`));
    await submit(host, first.id, configMap('two'));
    await ok(generator.api.post(`/stacks/${first.id}/labels`, label));
    const newest = await submit(host, first.id, configMap('three'));
    expect((await askSince(held)).assignments).toMatchObject([{ state: 'assigned', deployment_object_id: newest.id }]);
  });
});

describe('the whole list', () => {
  const WAYS: Record<string, () => Promise<unknown>> = {
    'if its own labels changed': () => ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label: unique('l') })),
    'if its registrations changed': async () => ok(agent.api.post(`/generators/${(await makeGenerator(host)).id}/register`, {})),
    'if its status changed there and back': async () => {
      for (const status of ['PAUSED', 'ACTIVE']) await ok(host.admin.put(`/agents/${agent.id}`, { status }));
    },
    'if more changed than is remembered': async () => {
      for (let n = 0; n < 9; n++) await submit(host, first.id, configMap(`n${n}`));
    },
  };
  test.each(Object.entries(WAYS))('an agent that names its revision gets the whole list %s', async (_way, change) => {
    const held = await ask();
    await change();
    const answer = await askSince(held);
    expect(answer).not.toHaveProperty('since');
    expect(names(answer)).toEqual([first.id, second.id].sort());
  });

  test('an agent gets the whole list if its revision is unknown, as after a restore of the table', async () => {
    await ask();
    const backup = await whole.get('fleet', agentKey(agent.id));
    await submit(host, first.id, configMap('two'));
    const held = await ask();
    if (backup) await whole.write({ table: 'fleet', put: backup });
    const answer = await agent.api.get(`/agents/${agent.id}/assignments?since=${held.revision}`, {
      headers: { 'if-none-match': `"${held.revision}"` },
    });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).not.toHaveProperty('since');
    expect(names(answer.body)).toHaveLength(2);
  });
});

/** The stored told items of the agent. */
const told = async () => (await whole.query('fleet', { pk: `AGENT#${agent.id}`, prefix: 'TOLD#' })).items;

test('the next poll completes a poll that ended between two of its writes', async () => {
  database.write = async (one: Write) => {
    if ('put' in one && one.put.type === 'told' && one.put.sk === `TOLD#${second.id}`) throw new Error('killed');
    return whole.write(one);
  };
  expect((await agent.api.get(`/agents/${agent.id}/assignments`)).status).toBe(500);
  Object.assign(database, whole);
  expect(names(await ask())).toEqual([first.id, second.id].sort());
  expect(await told()).toHaveLength(2);
});

test('a slow poll never puts back what a quicker poll has told the agent', async () => {
  await ask();
  await submit(host, first.id, configMap('two'));
  let newest: { id: string } | undefined;
  database.write = async (one: Write) => {
    if ('put' in one && one.put.type === 'told') {
      database.write = whole.write;
      newest = await submit(host, first.id, configMap('three'));
      await ask();
    }
    return whole.write(one);
  };
  const slow = await ask();
  const expected = { stack_id: first.id, deployment_object_id: newest?.id };
  expect(slow.assignments).toContainEqual(expect.objectContaining(expected));
  expect(await told()).toContainEqual(expect.objectContaining({ sk: `TOLD#${first.id}`, object_id: newest?.id }));
});

test('a GET by an admin stores nothing as told', async () => {
  const shown = await ok(host.admin.get(`/agents/${agent.id}/assignments`));
  expect(names(shown)).toEqual([first.id, second.id].sort());
  expect(await told()).toEqual([]);
  await ok(generator.api.delete(`/stacks/${first.id}`));
  expect(names(await ask())).toEqual([second.id]);
  await target(host, agent, second);
  expect(names(await ok(host.admin.get(`/agents/${agent.id}/assignments`)))).toEqual([second.id]);
});
