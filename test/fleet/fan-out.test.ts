import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
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
let queues: DrivenQueues;
let generator: MadeGenerator;
const functions = { queueGroups: [], scheduleGroups: [] };
let passedMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };
/** Sweeps the outbox after the time in which events are left to their requests, and delivers all messages. */
async function sweepLater() {
  passedMs += 20_000;
  await queues.sweep();
  await queues.drain();
}
beforeEach(async () => {
  host = await startTestHost({ functions, clock });
  queues = driveQueues(host.app.services);
  generator = await makeGenerator(host);
});
afterEach(() => host.stop());

// One agent more than a request notifies itself.
const CROWD = 51;
const crowd = (labels: readonly string[]): Promise<MadeAgent[]> =>
  Promise.all(Array.from({ length: CROWD }, () => makeAgent(host, { generators: [generator], labels })));
const poll = (agent: MadeAgent, etag?: string) => agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': etag } });
const outbox = async () => {
  const shards = ['0', '1', '2', '3'].map((shard) => host.app.services.database.query('work', { pk: `OUTBOX#${shard}`, limit: 100 }));
  const items = (await Promise.all(shards)).flatMap((shard) => shard.items);
  // The second pass after a removal is left to a later sweep.
  return items.filter(({ data }) => !JSON.stringify(data).includes('"pass":2'));
};

describe('a change that concerns more agents than a request waits for', () => {
  test('a new deployment object and the removal of its stack reach every agent through the queue', async () => {
    const agents = await crowd(['crowd']);
    const stack = await makeStack(host, generator, { labels: ['crowd'], yaml: configMap('one') });
    const states = (wanted: string) => async () => {
      const all = await Promise.all(agents.map((agent) => agent.assignments()));
      return all.filter((assignments) => assignments.get(stack.id)?.state === wanted).length;
    };
    await queues.drain();
    expect(await states('assigned')()).toBe(CROWD);

    const before = await Promise.all(agents.map((agent) => poll(agent)));
    const newer = await submit(host, stack.id, configMap('two'));
    expect(await queues.drain()).toBe(1);
    for (const [at, agent] of agents.entries()) {
      const { body } = await poll(agent, before[at]?.headers.etag);
      expect(body.assignments).toEqual([expect.objectContaining({ deployment_object_id: newer.id })]);
    }

    await ok(generator.api.delete(`/stacks/${stack.id}`));
    await queues.drain();
    expect(await states('withdrawn')()).toBe(CROWD);
    for (const agent of agents) await ok(report(agent, newer.id, { event_type: 'REMOVE' }));
    expect(await states('withdrawn')()).toBe(0);
    expect(await outbox()).toEqual([]);
  });

  test('the removal of a generator with many stacks removes all of them', async () => {
    const agent = await makeAgent(host, { generators: [generator] });
    const v1 = host.root.as(generator.pak);
    await Promise.all(
      Array.from({ length: CROWD }, async (_, n) =>
        target(host, agent, await ok(v1.post('/v1/deployments', { name: `n${n}`, yaml_content: 'a: 1' }))),
      ),
    );
    expect((await agent.assignments()).size).toBe(CROWD);
    await ok(host.admin.delete(`/generators/${generator.id}`));
    await queues.drain();
    const assignments = [...(await agent.assignments()).values()];
    expect(assignments.filter(({ state }) => state === 'withdrawn')).toHaveLength(CROWD);
    expect(
      (await ok(host.admin.get('/stacks'))).filter(({ generator_id }: { generator_id: string }) => generator_id === generator.id),
    ).toEqual([]);
    expect(await ok(host.admin.get(`/agents/${agent.id}/targets`))).toEqual([]);
  });
});

/** Makes the store fail when agents are notified, as if the process had ended right after the commit. */
function breakTelling(database: Database): () => unknown {
  const { write, transact } = database;
  const breaks = (one: Write) => 'update' in one && one.update.pk.startsWith('AGENTS#');
  database.write = async (one) => {
    if (breaks(one)) throw new Error('killed');
    return write(one);
  };
  database.transact = async (writes) => {
    if (writes.some(breaks)) throw new Error('killed');
    return transact(writes);
  };
  return () => Object.assign(database, { write, transact });
}

describe('a process that ends between a commit and its notifications', () => {
  const CHANGES: Record<string, (stack: { id: string }) => Promise<unknown>> = {
    'a new deployment object': ({ id }) => submit(host, id, configMap('two')),
    'a removed label': ({ id }) => ok(generator.api.delete(`/stacks/${id}/labels/l`)),
    'a deleted stack': ({ id }) => ok(generator.api.delete(`/stacks/${id}`)),
    'a deleted generator': () => ok(host.admin.delete(`/generators/${generator.id}`)),
  };
  test.each(Object.entries(CHANGES))('the next sweep of the outbox notifies the agents of %s', async (_what, change) => {
    const agent = await makeAgent(host, { generators: [generator], labels: ['l'] });
    const stack = await makeStack(host, generator, { labels: ['l'], yaml: configMap('one') });
    const { headers } = await poll(agent);
    const mend = breakTelling(host.app.services.database);
    await change(stack);
    mend();
    expect(await poll(agent, headers.etag)).toMatchObject({ status: 304 });
    expect(await outbox()).not.toEqual([]);
    await sweepLater();
    expect(await poll(agent, headers.etag)).toMatchObject({ status: 200 });
    expect(await outbox()).toEqual([]);
  });
});

describe('an agent that was away while the server was restarted', () => {
  test('an agent that was away during a restart gets its withdrawals, and keeps its assignments', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'brokkr-restart-'));
    try {
      await host.stop();
      host = await startTestHost({ dataDir });
      generator = await makeGenerator(host);
      const { admin, adminPak } = host;
      const made = await makeAgent(host, { generators: [generator], labels: ['l'] });
      const [lost, kept] = [
        await makeStack(host, generator, { yaml: configMap('lost'), labels: ['l'] }),
        await makeStack(host, generator, { yaml: configMap('kept'), labels: ['l'] }),
      ];
      const before = await made.assignments();
      expect(before.size).toBe(2);
      await ok(admin.delete(`/stacks/${lost.id}`));
      await host.stop();

      host = await startTestHost({ dataDir });
      const { body } = await host.anonymous.as(made.pak).get(`/agents/${made.id}/assignments`);
      const states = new Map(
        body.assignments.map((assignment: { stack_id: string; state: string }) => [assignment.stack_id, assignment.state]),
      );
      expect(states).toEqual(
        new Map([
          [lost.id, 'withdrawn'],
          [kept.id, 'assigned'],
        ]),
      );
      expect((await host.anonymous.as(adminPak).get(`/stacks/${kept.id}`)).status).toBe(200);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
