import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { Database } from '../../lib/platform/database/database.ts';
import { defineEvent, occurrence } from '../../lib/platform/events/domain-event.ts';
import { acknowledge, relay } from '../../lib/platform/events/outbox.ts';
import { type ContractStore, freshPk, openContractStore } from './contract-store.ts';
import { accepting, fanout, outboxWorld, refusing, stackChanged, webhooks } from './outbox-world.ts';

const withoutConsumer = defineEvent({ name: 'nobody.listens', schema: z.object({}) });

describe('the outbox', () => {
  let store: ContractStore;
  let world: Awaited<ReturnType<typeof outboxWorld>>;
  beforeAll(async () => {
    store = await openContractStore();
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    world = await outboxWorld(store);
  });

  test('a change and its event are stored together or not at all', async () => {
    const pk = freshPk();
    const committed: unknown[] = [];
    const change = {
      writes: [{ table: store.table, put: { pk, sk: 'STACK' }, if: { exists: false } }],
      audit: { note: 'stack.create' },
      events: [occurrence(stackChanged, { stack: 'web' })],
    };
    const commit = world.committing([fanout], (items) => committed.push(...items));
    await commit(change);
    expect(await world.waiting()).toHaveLength(1);
    await expect(commit(change)).rejects.toThrow('condition failed');
    expect(await world.waiting()).toHaveLength(1);
    expect(committed).toHaveLength(1);
  });

  test('an event that breaks its own schema is not stored, and neither is its change', async () => {
    const pk = freshPk();
    const events = [occurrence(stackChanged, { stack: 5 } as never)];
    const change = { writes: [{ table: store.table, put: { pk, sk: 'A' } }], audit: { note: 'n' }, events };
    await expect(world.committing()(change)).rejects.toThrow();
    expect(await store.database.count(store.table, pk)).toBe(0);
  });

  test('an event leaves the outbox when its queue has accepted it, and a later sweep relays a refused one', async () => {
    const items = await world.commitEvents(5);
    const refused = items[2]?.id ?? '';
    expect(await relay(items, world.ports(refusing((_queue, body) => body.includes(refused))))).toBe(1);
    expect(await world.waiting()).toEqual([refused]);
    world.pass(20_000);
    const sent: string[] = [];
    expect(await world.sweep(accepting(sent))).toMatchObject({ relayed: 1 });
    expect(sent).toEqual([`fanout:${refused}`]);
    expect(await world.waiting()).toEqual([]);
  });

  test('an event for two queues is sent again only to the queue that refused it', async () => {
    const consumers = [fanout, webhooks];
    const [item] = await world.commitEvents(1, { consumers });
    const sent: string[] = [];
    const refusingWebhooks = refusing((queue) => queue === 'webhooks', sent);
    await relay(item ? [item] : [], world.ports(refusingWebhooks, { consumers }));
    world.pass(20_000);
    expect(await world.sweep(refusingWebhooks, {}, { consumers })).toMatchObject({ relayed: 0, refused: 1 });
    world.pass(600_000);
    expect(await world.sweep(accepting(sent), {}, { consumers })).toMatchObject({ relayed: 1 });
    expect(sent).toEqual([`fanout:${item?.id}`, `webhooks:${item?.id}`]);
    expect(await world.waiting()).toEqual([]);
  });

  test('an acknowledged event is sent only to its other consumers', async () => {
    const consumers = [fanout, webhooks];
    const [item] = await world.commitEvents(1, { consumers });
    const left = item && (await acknowledge(item, 'fanout', world.ports(accepting())));
    const sent: string[] = [];
    await relay(left ? [left] : [], world.ports(accepting(sent), { consumers }));
    expect(sent).toEqual([`webhooks:${item?.id}`]);
    expect(await world.waiting()).toEqual([]);
  });

  test('a version that knows fewer consumers sends an event to every queue that its writer named', async () => {
    const [item] = await world.commitEvents(1, { consumers: [fanout, webhooks] });
    world.pass(20_000);
    const sent: string[] = [];
    await world.sweep(accepting(sent), {}, { consumers: [fanout] });
    expect(sent.sort()).toEqual([`fanout:${item?.id}`, `webhooks:${item?.id}`]);
  });

  test('an event is sent again if its relay dies between sending and deleting', async () => {
    const [item] = await world.commitEvents(1);
    const sent: string[] = [];
    const dying: Database = { ...store.database, write: () => Promise.reject(new Error('died')) };
    await expect(relay(item ? [item] : [], world.ports(accepting(sent), { database: dying }))).rejects.toThrow('died');
    world.pass(20_000);
    await world.sweep(accepting(sent));
    expect(sent).toEqual([`fanout:${item?.id}`, `fanout:${item?.id}`]);
  });

  test('an event without a consumer is kept and counted until a version that knows a consumer delivers it', async () => {
    const [item] = await world.commitEvents(1, { event: withoutConsumer, consumers: [] });
    expect(await relay(item ? [item] : [], world.ports(accepting()))).toBe(1);
    world.pass(20_000);
    expect(await world.sweep(accepting())).toEqual({ relayed: 0, refused: 0, unknown: 1, malformed: 0 });
    world.pass(600_000);
    const newer = { queue: 'newer', events: [withoutConsumer], handle: async () => {} };
    const sent: string[] = [];
    expect(await world.sweep(accepting(sent), {}, { consumers: [fanout, newer] })).toMatchObject({ relayed: 1, unknown: 0 });
    expect(sent).toEqual([`newer:${item?.id}`]);
    expect(await world.waiting()).toEqual([]);
  });
});
