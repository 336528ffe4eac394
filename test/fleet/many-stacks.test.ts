import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { lookAtAll } from '../../lib/fleet/targeting/whole-look.ts';
import type { Item, QueryOptions } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, report, submit } from './fleet-builder.ts';
import { seedStacks } from './seeded-stacks.ts';

let host: TestHost;
let units = { read: 0, write: 0 };
beforeAll(async () => {
  host = await startTestHost({
    // Nothing is cleared away while costs are counted.
    functions: { scheduleGroups: [], queueGroups: [] },
    onConsumed(operation, consumed) {
      units[/^(Get|BatchGet|TransactGet|Query)/.test(operation) ? 'read' : 'write'] += consumed;
    },
  });
});
afterAll(() => host.stop());

async function costOf<T>(action: () => Promise<T>): Promise<{ read: number; write: number; result: T }> {
  units = { read: 0, write: 0 };
  const result = await action();
  return { ...units, result };
}

/** Makes an agent that runs this many stacks by one label. The agent also has labels that no stack has. */
async function agentWith(count: number): Promise<{ agent: MadeAgent; generator: MadeGenerator; stackIds: string[] }> {
  const generator = await makeGenerator(host);
  const labels = ['many', ...Array.from({ length: 9 }, (_, n) => `label-${n}`)];
  const agent = await makeAgent(host, { generators: [generator], labels });
  return { agent, generator, stackIds: await seedStacks(host.app.services.database, generator.id, 'many', count) };
}
const path = (agent: MadeAgent, query = '') => `/agents/${agent.id}/assignments${query}`;

describe('with 1,000 stacks and ten labels', () => {
  let made: Awaited<ReturnType<typeof agentWith>>;
  let revision: string;
  beforeAll(async () => {
    made = await agentWith(1_000);
    await ok(made.agent.api.get(path(made.agent)));
  }, 60_000);
  beforeEach(async () => {
    revision = (await ok(made.agent.api.get(path(made.agent)))).revision;
  });

  test('a poll for the whole list of an unchanged state costs at most 150 read units and writes nothing', async () => {
    const { read, write, result } = await costOf(() => ok(made.agent.api.get(path(made.agent))));
    expect(result.assignments).toHaveLength(1_000);
    expect(read).toBeLessThanOrEqual(150);
    expect(write).toBe(0);
  });

  test('one changed stack costs a poll that names its revision at most 20 read and 2 write units', async () => {
    const [stackId = ''] = made.stackIds;
    const newest = await submit(host, stackId, configMap('two'));
    const { read, write, result } = await costOf(() => ok(made.agent.api.get(path(made.agent, `?since=${revision}`))));
    expect(result.assignments).toMatchObject([{ stack_id: stackId, deployment_object_id: newest.id }]);
    expect(read).toBeLessThanOrEqual(20);
    expect(write).toBeLessThanOrEqual(2);
  });

  test('one changed stack costs a poll for the whole list at most 150 read and 2 write units', async () => {
    await submit(host, made.stackIds[1] ?? '', configMap('two'));
    const { read, write } = await costOf(() => ok(made.agent.api.get(path(made.agent))));
    expect(read).toBeLessThanOrEqual(150);
    expect(write).toBeLessThanOrEqual(2);
  });

  test('one confirmed removal costs a few units, however many other stacks the agent runs', async () => {
    const { agent, generator } = made;
    const few = await agentWith(1);
    const spent: number[] = [];
    for (const [who, owner] of [[agent, generator] as const, [few.agent, few.generator] as const]) {
      const stack = await makeStack(host, owner, { labels: ['many'], yaml: configMap('one') });
      await ok(who.api.get(path(who)));
      await ok(host.admin.delete(`/stacks/${stack.id}`));
      expect((await who.assignments()).get(stack.id)).toMatchObject({ state: 'withdrawn' });
      const failed = await costOf(() =>
        ok(report(who, stack.deploymentObjectId, { event_type: 'REMOVE', status: 'FAILURE', message: 'not yet' })),
      );
      const confirmed = await costOf(() => ok(report(who, stack.deploymentObjectId, { event_type: 'REMOVE' })));
      spent.push(confirmed.read + confirmed.write - failed.read - failed.write);
    }
    expect(Math.max(...spent)).toBeLessThanOrEqual(6);
    expect(spent[0]).toBe(spent[1]);
  });
});

test('an agent gets more stacks than one answer holds, and later only the stack that changed', async () => {
  const { agent, stackIds } = await agentWith(5_300);
  const plane = createHttpControlPlane({ baseUrl: host.url, pak: agent.pak });
  try {
    // One answer holds 5,000 stacks, the next one the others.
    const first = await plane.assignments(agent.id, undefined);
    const all = await plane.assignments(agent.id, first === 'unchanged' ? undefined : first);
    if (all === 'unchanged') throw new Error('the first answer was not complete');
    expect(new Set(all.value.assignments.map(({ stack_id }) => stack_id))).toEqual(new Set(stackIds));
    const newest = await submit(host, stackIds[7] ?? '', configMap('two'));
    const { read, result } = await costOf(() => plane.assignments(agent.id, all));
    if (result === 'unchanged') throw new Error('the change was not told');
    expect(result.value.assignments).toHaveLength(5_300);
    expect(result.value.assignments).toContainEqual(expect.objectContaining({ deployment_object_id: newest.id }));
    expect(read).toBeLessThanOrEqual(20);
    expect(await plane.assignments(agent.id, result)).toBe('unchanged');
  } finally {
    await plane.close();
  }
}, 90_000);

test('a poll that could not read all edges withdraws nothing', async () => {
  const { agent, stackIds } = await agentWith(1);
  await agent.assignments();
  const { database } = host.app.services;
  const edge: Item = { pk: '', sk: '', object_id: stackIds[0], sequence: 1, checksum: Buffer.alloc(32) };
  const endless = {
    ...database,
    async query(table: string, options: QueryOptions) {
      if (!options.pk.startsWith('MATCH#') || !options.pk.endsWith('LABEL#many')) return database.query(table, options);
      const items = Array.from({ length: options.limit ?? 0 }, (_, n) => ({ ...edge, sk: `edge-${n}` }));
      return { items, next: 'more' };
    },
  };
  const { next, truncated } = await lookAtAll(endless, agent.id);
  expect(truncated).toBe(true);
  expect(next.get(stackIds[0] ?? '')).toMatchObject({ state: 'assigned' });
});
