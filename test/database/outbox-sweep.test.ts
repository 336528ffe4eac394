import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../lib/platform/database/database.ts';
import { OUTBOX_SHARDS, outboxPk } from '../../lib/platform/events/work-table.ts';
import { type ContractStore, openContractStore } from './contract-store.ts';
import { accepting, consumer, outboxWorld, refusing } from './outbox-world.ts';
import { openTestQueues, type TestQueues } from './test-queues.ts';

describe('the sweep of the outbox', () => {
  let store: ContractStore;
  let queues: TestQueues;
  let world: Awaited<ReturnType<typeof outboxWorld>>;
  beforeAll(async () => {
    [store, queues] = await Promise.all([openContractStore(), openTestQueues(['fanout'])]);
  });
  afterAll(() => Promise.all([store.close(), queues.close()]));
  beforeEach(async () => {
    world = await outboxWorld(store);
  });

  test('a sweep leaves events of the last twenty seconds to their requests', async () => {
    await world.commitEvents(3);
    world.pass(10_000);
    expect(await world.sweep(accepting())).toMatchObject({ relayed: 0 });
    world.pass(10_000);
    expect(await world.sweep(accepting())).toMatchObject({ relayed: 3 });
  });

  test('a sweep relays all due events over many pages, oldest first', async () => {
    const before = await world.commitEvents(20);
    world.pass(1_000);
    await world.commitEvents(20);
    world.pass(20_000);
    const sent: string[] = [];
    expect(await world.sweep(accepting(sent), { page: 2 })).toMatchObject({ relayed: 40 });
    for (const shard of OUTBOX_SHARDS) {
      const ofShard = before.filter(({ pk }) => pk === outboxPk(shard)).map(({ id }) => sent.indexOf(`fanout:${id}`));
      const others = sent.flatMap((name, index) => (world.shardOf(name.slice('fanout:'.length)) === shard ? [index] : []));
      expect(ofShard.toSorted((a, b) => a - b)).toEqual(others.slice(0, ofShard.length));
    }
    expect(await world.waiting()).toEqual([]);
  });

  test('a sweep begins no page after its deadline, and the next sweep continues', async () => {
    await world.commitEvents(40);
    world.pass(20_000);
    const first = await world.sweep(accepting(), { page: 2, drainForMs: 0 });
    expect(first.relayed).toBeLessThanOrEqual(2 * OUTBOX_SHARDS.length);
    expect(await world.sweep(accepting())).toMatchObject({ relayed: 40 - first.relayed });
  });

  test('a sweep begins no page after its host began to stop', async () => {
    await world.commitEvents(40);
    world.pass(20_000);
    const { relayed } = await world.sweep(accepting(), { page: 2, signal: AbortSignal.abort() });
    expect(relayed).toBeLessThanOrEqual(2 * OUTBOX_SHARDS.length);
  });

  test('a sweep delivers the events behind hundreds of refused ones', async () => {
    await world.commitEvents(300, { stack: 'poison' });
    world.pass(1_000);
    await world.commitEvents(20, { stack: 'good' });
    world.pass(20_000);
    const poisoned = (_queue: string, body: string) => body.includes('poison');
    expect(await world.sweep(refusing(poisoned), { page: 25 })).toEqual({ relayed: 20, refused: 300, unknown: 0, malformed: 0 });
    expect(await world.waiting()).toHaveLength(300);
  });

  test('sweeps try a refused event again after a minute, then less and less often, but at least every eleven minutes', async () => {
    await world.commitEvents(1);
    world.pass(20_000);
    const refused = async () => (await world.sweep(refusing(() => true))).refused;
    expect(await refused()).toBe(1);
    expect(await refused()).toBe(0);
    world.pass(66_000);
    expect(await refused()).toBe(1);
    world.pass(66_000);
    expect(await refused()).toBe(0);
    for (let round = 0; round < 5; round++) {
      world.pass(660_000);
      expect(await refused()).toBe(1);
    }
  });

  test('a sweep skips malformed items, keeps their content and counts them', async () => {
    const malformed = { type: 'outbox', id: 'bad', v2_event: 'x' };
    const sortKeys = ['2020-01-01T00:00:00.000Z#bad', '2020-01-01T00:00:00.000Z', `2020-01-01#${'long'.repeat(240)}`];
    for (const sk of sortKeys) await world.put({ pk: outboxPk('0'), sk, ...malformed });
    await world.commitEvents(8);
    world.pass(20_000);
    expect(await world.sweep(accepting())).toEqual({ relayed: 8, refused: 0, unknown: 0, malformed: 3 });
    expect(await world.stored()).toEqual(Array(3).fill(expect.objectContaining(malformed)));
  });

  test('an item that the store refuses to postpone stops no other item of the sweep', async () => {
    await world.commitEvents(8, { stack: 'poison' });
    await world.commitEvents(8, { stack: 'good' });
    world.pass(20_000);
    const immovable: Database = { ...store.database, transact: () => Promise.reject(new Error('ValidationException')) };
    const poisoned = (_queue: string, body: string) => body.includes('poison');
    expect(await world.sweep(refusing(poisoned), { page: 1 }, { database: immovable })).toMatchObject({ relayed: 8, refused: 8 });
    expect(await world.waiting()).toHaveLength(8);
  });

  test('two sweeps at the same time lose no event and postpone none twice', async () => {
    await world.commitEvents(60, { stack: 'poison' });
    await world.commitEvents(60, { stack: 'good' });
    world.pass(20_000);
    const sent: string[] = [];
    const poisoned = refusing((_queue, body) => body.includes('poison'), sent);
    await Promise.all([world.sweep(poisoned, { page: 10 }), world.sweep(poisoned, { page: 10 })]);
    expect(new Set(sent).size).toBe(60);
    expect(await world.waiting()).toHaveLength(60);
  });

  test('events arrive through real queues unchanged, even with characters that SQS refuses', async () => {
    const items = await world.commitEvents(25, { stack: '\uFFFE\uFFFF\u0000' });
    world.pass(20_000);
    expect(await world.sweep(queues.queues)).toMatchObject({ relayed: 25 });
    const bodies = (await queues.take('fanout')).map((body) => JSON.parse(body));
    expect(bodies.map(({ id }) => id).sort()).toEqual(items.map(({ id }) => id).sort());
    expect(bodies).toContainEqual({ id: items[0]?.id, event: 'stack.changed', data: { stack: '\uFFFE\uFFFF\u00000' } });
  });

  test('events for a queue that does not exist stay in the outbox', async () => {
    const consumers = [consumer('missing')];
    await world.commitEvents(1, { consumers });
    world.pass(20_000);
    expect(await world.sweep(queues.queues, {}, { consumers })).toMatchObject({ relayed: 0, refused: 1 });
    expect(await world.waiting()).toHaveLength(1);
  });
});
