import { expiresAt, type Table } from '../database/table.ts';

/**
 * The work table: events that still have to reach a queue, and marks of events that were handled.
 *
 * | who asks | where the answer lies | costs |
 * | --- | --- | --- |
 * | the sweep: which events are due? | `OUTBOX#<shard>` \| `<due>#<id>`, oldest due time first | a query for each of four shards |
 * | the request that wrote an event: it was accepted | the same key | one delete |
 * | a consumer: which key ends this segment of an event? | `SEGMENT#<id>#<n>` \| `END` | one read for a segment, one conditional put with the next |
 * | a consumer: did I handle this event before? | `HANDLED#<queue>#<id>` \| `HANDLED` | one conditional put, in the effect's transaction |
 * | readiness, after a write failed: can the store keep anything again? | `PROBE` \| `WRITE` | one put, while it can't |
 *
 * Ids are random, so that four shards spread the writes. A due time lies in the future while the event is left to its request, and
 * again after a queue refused it, so that an event that can't be delivered never blocks others.
 */
export const workTable: Table = { name: 'work', timeToLive: true };

export const OUTBOX_SHARDS = ['0', '1', '2', '3'] as const;
export const outboxPk = (shard: string): string => `OUTBOX#${shard}`;
export const outboxKey = (id: string, dueMs: number) => ({
  pk: outboxPk(OUTBOX_SHARDS[Number.parseInt(id.slice(0, 2), 16) % OUTBOX_SHARDS.length] ?? '0'),
  sk: outboxSk(id, dueMs),
});
export const outboxSk = (suffix: string, dueMs: number): string => `${new Date(dueMs).toISOString()}#${suffix}`;
/** Sort keys of events that are due lie below this one: `$` follows `#`. */
export const outboxDueBelow = (nowMs: number): string => `${new Date(nowMs).toISOString()}$`;

/** A mark must outlive its message, which somebody may send back from the dead-letter queue. */
const HANDLED_DAYS = 15;
export const segmentEndKey = (eventId: string, segment: number) => ({ pk: `SEGMENT#${eventId}#${segment}`, sk: 'END' });
export const segmentEndItem = (eventId: string, segment: number, end: string, nowMs: number) => ({
  ...segmentEndKey(eventId, segment),
  type: 'segment-end',
  end,
  expires_at: expiresAt(nowMs, HANDLED_DAYS),
});

export const handledItem = (queue: string, eventId: string, nowMs: number) => ({
  pk: `HANDLED#${queue}#${eventId}`,
  sk: 'HANDLED',
  type: 'handled',
  expires_at: expiresAt(nowMs, HANDLED_DAYS),
});

/** The one item that readiness writes to find out whether the store can store anything. */
export const writeProbeItem = () => ({ pk: 'PROBE', sk: 'WRITE', type: 'probe' });
