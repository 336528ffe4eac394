import * as z from 'zod';
import type { Clock } from '../clock.ts';
import type { Change } from '../database/commit.ts';
import { ConditionFailed, type Database, type Item } from '../database/database.ts';
import type { Occurrence } from './domain-event.ts';
import type { OutboxPorts } from './outbox.ts';
import { segmentEndItem, segmentEndKey } from './work-table.ts';

/**
 * Work on many things is done in segments, with one message for each. A message says where its segment begins. The next message is queued
 * before the work of a segment, so that after a crash or a time-out nothing is lost and nothing starts from the beginning. The end of a
 * segment is stored in the transaction that queues the next one: a later delivery of the message works up to there, and queues nothing.
 */
export const Progress = z.object({
  /** The number of the segment: 1 for the message of the event itself. */
  segment: z.int().min(1),
  /** The id of the event of the first segment. */
  origin: z.string().optional(),
  /** The segment begins after this key. */
  after: z.string().optional(),
});
export type Progress = z.infer<typeof Progress>;

export interface Bounds {
  after?: string | undefined;
  /** The segment ends with this key, even if that exceeds the limit. */
  until?: string | undefined;
  limit: number;
}
export interface Segment<T> {
  things: T[];
  /** The segment's last key, if there may be more behind it. */
  next?: string;
}

export interface SegmentWork<T> {
  limit: number;
  read(bounds: Bounds): Promise<Segment<T>>;
  /** Runs before any thing of any segment is read. May run twice. */
  prepare?(): Promise<void>;
  /** May run twice for the same things. */
  work(things: readonly T[]): Promise<void>;
  /** The event that brings the next segment. */
  event(progress: Progress): Occurrence;
}

export interface SegmentPorts {
  clock: Clock;
  commit(change: Change<never>): Promise<void>;
  outbox: Pick<OutboxPorts, 'database' | 'table'>;
}

/** Does the work of one segment. Returns true if it was the last. */
export async function workSegment<T>(ports: SegmentPorts, eventId: string, progress: Progress, work: SegmentWork<T>): Promise<boolean> {
  const { segment, origin = eventId, after } = progress;
  const { limit } = work;
  const known = await findEnd(ports, origin, segment);
  if (known === undefined && segment === 1) await work.prepare?.();
  let found = await work.read({ limit, after, until: known });
  if (known === undefined) {
    if (found.next !== undefined) {
      const next = work.event({ segment: segment + 1, origin, after: found.next });
      const queued = await queueNext(ports, { origin, segment, end: found.next, next });
      // Another delivery of this message has queued the next segment, and may have ended this one at another key.
      if (!queued) found = await work.read({ limit, after, until: await findEnd(ports, origin, segment) });
    }
  }
  await work.work(found.things);
  return known === undefined && found.next === undefined;
}

async function findEnd({ outbox: { database, table } }: SegmentPorts, origin: string, segment: number): Promise<string | undefined> {
  const item = await database.get(table, segmentEndKey(origin, segment));
  return item && z.string().parse(item.end);
}

/** Queues the next segment. Returns false if it was queued before. */
async function queueNext(
  { commit, clock, outbox: { table } }: SegmentPorts,
  { origin, segment, end, next }: { origin: string; segment: number; end: string; next: Occurrence },
): Promise<boolean> {
  try {
    await commit({
      writes: [{ table, put: segmentEndItem(origin, segment, end, clock.nowMs()), if: { exists: false } }],
      audit: { unaudited: 'bookkeeping: the end of a segment of an event' },
      events: [next],
    });
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return false;
  }
}

/** Reads a segment of the items of one partition. */
export async function partitionSegment(
  database: Database,
  table: string,
  { pk, prefix, fields }: { pk: string; prefix?: string; fields?: readonly string[] },
  { after, until, limit }: Bounds,
): Promise<Segment<Item>> {
  const things: Item[] = [];
  let from = after;
  do {
    const page = await database.query(table, {
      pk,
      limit: until === undefined ? limit - things.length : limit,
      ...(prefix !== undefined && { prefix }),
      ...(fields && { fields }),
      ...(from !== undefined && { after: from }),
    });
    const within = page.items.filter(({ sk }) => until === undefined || sk <= until);
    things.push(...within);
    from = within.length < page.items.length ? undefined : page.next;
  } while (from !== undefined && (until !== undefined || things.length < limit));
  return from === undefined ? { things } : { things, next: from };
}
