import * as z from 'zod';
import type { Clock } from '../clock.ts';
import { ConditionFailed, type Database, type Item, type Write } from '../database/database.ts';
import { newId } from '../ids.ts';
import type { Message, Queues } from '../queue/queues.ts';
import type { AnyConsumer } from './consumer.ts';
import type { DomainEvent, Occurrence } from './domain-event.ts';
import { encodeEnvelope } from './envelope.ts';
import { outboxKey } from './work-table.ts';

/**
 * An event is written in the transaction of the change that it describes. From the work table it is relayed to the queue of each
 * consumer that subscribes to it, and deleted after all these queues have accepted it: at least once, in no promised order.
 *
 * The version that writes an event names its queues. Another version that relays it may know fewer consumers, or more.
 */
export const OutboxItem = z.looseObject({
  pk: z.string(),
  sk: z.string(),
  id: z.string(),
  event: z.string(),
  data: z.unknown(),
  /** The queues that have not accepted the event yet. Empty if the version that wrote it knew no consumer. */
  pending: z.array(z.string()),
  /** No consumer gets the event before this time, in milliseconds. */
  not_before_ms: z.number().optional(),
});
export type OutboxItem = z.infer<typeof OutboxItem>;

export interface OutboxPorts {
  database: Database;
  /** The work table. */
  table: string;
  clock: Clock;
  consumers: readonly AnyConsumer[];
}
export interface RelayPorts extends OutboxPorts {
  queues: Queues;
}

/** The sweep leaves an event to the request that wrote it for longer than any request may take. */
const LEFT_TO_REQUEST_MS = 20_000;

/**
 * An event that has longer to wait is left in the outbox until then. SQS would hold a message back for fifteen minutes, but a message of ten
 * minutes counts as one that nobody handles (infra/resources/alarms.cjs).
 */
const LONGEST_DELAY_MS = 300_000;

export function outboxItem(
  { event, data, notBeforeMs }: Occurrence,
  { clock, consumers }: Pick<OutboxPorts, 'clock' | 'consumers'>,
): OutboxItem {
  const id = newId();
  const key = outboxKey(id, Math.max(clock.nowMs() + LEFT_TO_REQUEST_MS, (notBeforeMs ?? 0) - LONGEST_DELAY_MS));
  const later = notBeforeMs !== undefined && { not_before_ms: notBeforeMs };
  return { ...key, id, event: event.name, data: event.schema.parse(data), pending: queuesOf(event.name, consumers), ...later };
}

/** Whether a queue can hold the event back for the rest of its wait. */
export const mayBeSent = ({ not_before_ms = 0 }: OutboxItem, nowMs: number): boolean => not_before_ms - nowMs <= LONGEST_DELAY_MS;
export const outboxWrite = (table: string, item: OutboxItem): Write => ({ table, put: { ...item, type: 'outbox' } });

const queuesOf = (name: DomainEvent<unknown>['name'], consumers: readonly AnyConsumer[]): string[] =>
  consumers.filter(({ events }) => events.some((event) => event.name === name)).map(({ queue }) => queue);

/** An event that was sent on, with the queues that refused it. */
export interface Sent {
  item: OutboxItem;
  pending: readonly string[];
  /** No version so far knows a consumer of the event. */
  unknown: boolean;
}

/** Sends each event to the queues that have not accepted it yet. The caller stores which ones accept it now. */
export async function sendToQueues(items: readonly OutboxItem[], { queues, consumers, clock }: RelayPorts): Promise<Sent[]> {
  const nowMs = clock.nowMs();
  const addressed = items.map((item) => ({ item, to: item.pending.length > 0 ? item.pending : queuesOf(item.event, consumers) }));
  const names = new Set(addressed.flatMap(({ to }) => to));
  const refused = new Map<string, ReadonlySet<string>>();
  await Promise.all(
    [...names].map(async (queue) => {
      const messages = addressed.filter(({ to }) => to.includes(queue)).map(({ item }) => messageOf(item, nowMs));
      refused.set(queue, new Set(await queues.send(queue, messages)));
    }),
  );
  return addressed.map(({ item, to }) => ({
    item,
    pending: to.filter((queue) => refused.get(queue)?.has(item.id)),
    unknown: to.length === 0,
  }));
}

function messageOf(item: OutboxItem, nowMs: number): Message {
  const waitMs = Math.min(LONGEST_DELAY_MS, (item.not_before_ms ?? 0) - nowMs);
  return { id: item.id, body: encodeEnvelope(item), ...(waitMs > 0 && { delaySeconds: Math.ceil(waitMs / 1_000) }) };
}

/** Sends events to their queues right after they were stored. Returns how many are left to the sweep. */
export async function relay(items: readonly OutboxItem[], ports: RelayPorts): Promise<number> {
  const sent = await sendToQueues(items, ports);
  const remaining = await Promise.all(sent.map(({ item, pending, unknown }) => (unknown ? item : notePending(item, pending, ports))));
  return remaining.filter(Boolean).length;
}

/** Notes that one consumer's work for an event was done without its queue. Returns the event if other consumers still need it. */
export const acknowledge = (item: OutboxItem, queue: string, ports: Pick<OutboxPorts, 'database' | 'table'>) =>
  notePending(
    item,
    item.pending.filter((name) => name !== queue),
    ports,
  );

async function notePending(
  item: OutboxItem,
  pending: readonly string[],
  { database, table }: Pick<OutboxPorts, 'database' | 'table'>,
): Promise<OutboxItem | undefined> {
  if (pending.length === 0) {
    await database.write({ table, delete: { pk: item.pk, sk: item.sk } });
    return undefined;
  }
  const left = { ...item, pending: [...pending] };
  if (pending.length < item.pending.length) await ignoreIfGone(database.write({ table, put: left as Item, if: { exists: true } }));
  return left;
}

/** Ignores that an item is gone: a sweep that runs at the same time may have delivered the event, or moved it. */
export async function ignoreIfGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
