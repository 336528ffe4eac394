import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { agentKey, agentMatchKey } from '../../lib/fleet/fleet-table.ts';
import { fanOut } from '../../lib/fleet/targeting/fan-out.ts';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeGenerator, makeStack, ok, submit, unique } from './fleet-builder.ts';

/** These are more agents than a request notifies: two full segments and a smaller one. */
const CROWD = 70;
const SEGMENT = 30;
let host: TestHost;
let queues: DrivenQueues;
let database: Database;
let generator: MadeGenerator;
let crowd: string[];
let stack: { id: string };
const label = unique('crowd');
let passedMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };

beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] }, clock });
  ({ database } = host.app.services);
  queues = driveQueues(host.app.services, { 'agent-fanout': (services, event) => fanOut(services, event, SEGMENT) });
  generator = await makeGenerator(host);
  crowd = await seedAgents(CROWD);
  stack = await makeStack(host, generator, { labels: [label] });
  await queues.drain();
}, 60_000);
afterAll(() => host.stop());
beforeEach(() => {
  queues.messages.length = 0;
});

/** Writes agents' records and edges into the store: creating each agent by a request would take minutes. */
async function seedAgents(count: number, makeId: () => string = randomUUID, text = label): Promise<string[]> {
  const ids = Array.from({ length: count }, makeId);
  for (let from = 0; from < count; from += 50) {
    const writes = ids.slice(from, from + 50).flatMap((id): Write[] => [
      { table: 'fleet', put: { ...agentKey(id), type: 'agent', revision: 'seeded' } },
      { table: 'fleet', put: { ...agentMatchKey(generator.id, { label: text }, id), type: 'agent-match' } },
    ]);
    await database.transact(writes);
  }
  return ids;
}
const revisions = async (ids: readonly string[]) =>
  new Map((await database.batchGet('fleet', ids.map(agentKey))).map((item) => [item.sk, item.revision]));
/** The agents whose revision differs from the one before. */
async function movedSince(before: Map<string, unknown>): Promise<string[]> {
  const after = await revisions([...before.keys()]);
  return [...before.keys()].filter((id) => after.get(id) !== before.get(id));
}
async function changeStack() {
  await submit(host, stack.id, configMap(unique('map')));
  const [message] = queues.messages;
  if (!message || queues.messages.length !== 1) throw new Error(`${queues.messages.length} messages`);
  return message;
}
/** Lets so many moves of revisions through, and fails each further one, as if the process had ended there. */
function failMovesAfter(count: number) {
  const { write } = database;
  let moves = 0;
  database.write = async (one) => {
    if ('update' in one && one.update.pk.startsWith('AGENTS#') && ++moves > count) throw new Error('killed');
    return write(one);
  };
  return {
    moves: () => moves,
    mend() {
      database.write = write;
    },
  };
}

describe('a change that concerns more agents than a request notifies', () => {
  test('a wide change notifies each agent once, one segment for each message', async () => {
    const before = await revisions(crowd);
    await changeStack();
    const counted = failMovesAfter(Number.POSITIVE_INFINITY);
    expect(await queues.drain()).toBe(3);
    counted.mend();
    expect(counted.moves()).toBe(CROWD);
    expect(await movedSince(before)).toHaveLength(CROWD);
  });

  test('a wide change loses no agent if the process ends within a segment: the next segment was queued before, once', async () => {
    const before = await revisions(crowd);
    const first = await changeStack();
    const broken = failMovesAfter(20);
    expect(await queues.deliver(first)).toBe(false);
    broken.mend();
    expect(queues.messages).toHaveLength(2);
    for (let again = 0; again < 3; again++) expect(await queues.deliver(first)).toBe(true);
    // The queue still has the message itself. The second message is the next segment, which no delivery has queued again.
    expect(queues.messages).toHaveLength(2);
    expect(await movedSince(before)).toHaveLength(SEGMENT);
    queues.messages.shift();
    await queues.drain();
    expect(await movedSince(before)).toHaveLength(CROWD);
  });

  test('a wide change loses no agent between two segments if agents join before a segment is delivered again', async () => {
    const before = await revisions(crowd);
    const first = await changeStack();
    const broken = failMovesAfter(0);
    await queues.deliver(first);
    broken.mend();
    // Their ids are the lowest: counted from the start, the segment would end earlier than the next one begins.
    await seedAgents(10, () => randomUUID().replace(/^.{4}/, '0000'));
    await queues.drain();
    expect(await movedSince(before)).toHaveLength(CROWD);
  });

  test('the sweep sends the next segment if the queue refused it', async () => {
    const before = await revisions(crowd);
    const first = await changeStack();
    queues.messages.length = 0;
    const queuesOfHost = host.app.services.outbox.queues;
    const { send } = queuesOfHost;
    queuesOfHost.send = async (_queue, messages) => messages.map(({ id }) => id);
    expect(await queues.deliver(first)).toBe(true);
    queuesOfHost.send = send;
    expect(queues.messages).toEqual([]);
    passedMs += 60_000;
    await queues.sweep();
    await queues.drain();
    expect(await movedSince(before)).toHaveLength(CROWD);
  });

  test('the request of a wide change reads only as many agents as it might notify itself', async () => {
    const { query } = database;
    let edges = 0;
    database.query = async (table, options) => {
      const page = await query(table, options);
      edges += page.items.length;
      return page;
    };
    await changeStack();
    database.query = query;
    expect(edges).toBeLessThanOrEqual(100);
    await queues.drain();
  });

  test("the removal of a stack notifies each agent, although the stack's labels are cleared away meanwhile", async () => {
    const doomed = await makeStack(host, generator, { labels: [label], yaml: configMap('doomed') });
    await queues.drain();
    const before = await revisions(crowd);
    await ok(generator.api.delete(`/stacks/${doomed.id}`));
    // The remains are cleared away first.
    queues.messages.sort((a, b) => b.queue.localeCompare(a.queue));
    expect(queues.messages.map(({ queue }) => queue)).toEqual(['clean-up', 'agent-fanout']);
    await queues.drain();
    expect(await movedSince(before)).toHaveLength(CROWD);
  });

  test('a change that concerns 5,000 agents takes three messages', async () => {
    const many = unique('many');
    const seeded = await seedAgents(5_000, randomUUID, many);
    const wide = await makeStack(host, generator, { labels: [many] });
    queues.messages.length = 0;
    const written = failMovesAfter(Number.POSITIVE_INFINITY);
    const full = driveQueues(host.app.services);
    await submit(host, wide.id, configMap('wide'));
    expect(await full.drain()).toBe(3);
    written.mend();
    expect(written.moves()).toBe(seeded.length);
  }, 60_000);
});
