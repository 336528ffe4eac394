import { jitteredMs } from '../backoff.ts';
import type { Item, Key } from '../database/database.ts';
import { isAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ignoreIfGone, OutboxItem, type RelayPorts, sendToQueues } from './outbox.ts';
import { OUTBOX_SHARDS, outboxDueBelow, outboxPk, outboxSk } from './work-table.ts';

export interface SweepOptions {
  /** Starts no further page after this time. */
  drainForMs: number;
  log: Log;
  signal?: AbortSignal;
  /** Events read at once from a shard. */
  page?: number;
}

/** The outcomes of one sweep, as counts of events. Every event that isn't relayed stays, and is tried again later. */
export interface Swept {
  relayed: number;
  /** A queue did not accept the event. */
  refused: number;
  /** This version has no consumer for the event; another one may. */
  unknown: number;
  /** This version can't read the item. */
  malformed: number;
}

const RETRY = { baseMs: 60_000, capMs: 600_000, jitter: 0.1 };

/** Relays due events, oldest first, until none is left or the time is up. An event is due if its request has not relayed it in time. */
export async function sweepOutbox(ports: RelayPorts, options: SweepOptions): Promise<Swept> {
  const swept: Swept = { relayed: 0, refused: 0, unknown: 0, malformed: 0 };
  const deadline = ports.clock.monotonicMs() + options.drainForMs;
  const mayContinue = () => ports.clock.monotonicMs() < deadline && !options.signal?.aborted;
  const shards = await Promise.allSettled(OUTBOX_SHARDS.map((shard) => sweepShard(shard, { ports, options, swept, mayContinue })));
  for (const shard of shards) if (shard.status === 'rejected') throw shard.reason;
  return swept;
}

interface Sweep {
  ports: RelayPorts;
  options: SweepOptions;
  swept: Swept;
  mayContinue: () => boolean;
}

async function sweepShard(shard: string, { ports, options: { page: limit = 100, log }, swept, mayContinue }: Sweep): Promise<void> {
  const { database, table, clock } = ports;
  let after: string | undefined;
  do {
    const { items, next } = await database.query(table, { pk: outboxPk(shard), limit, ...(after !== undefined && { after }) });
    const due = items.filter(({ sk }) => sk < outboxDueBelow(clock.nowMs()));
    await sweepPage(due, ports, swept, log);
    after = due.length === items.length ? next : undefined;
  } while (after !== undefined && mayContinue());
}

async function sweepPage(due: readonly Item[], ports: RelayPorts, swept: Swept, log: Log): Promise<void> {
  const { database, table } = ports;
  const parsed = due.map((stored) => ({ stored, ...OutboxItem.safeParse(stored) }));
  const sent = await sendToQueues(
    parsed.flatMap(({ data }) => (data ? [data] : [])),
    ports,
  );
  const delivered = sent.filter(({ pending, unknown }) => pending.length === 0 && !unknown);
  const kept = sent.filter(({ pending, unknown }) => pending.length > 0 || unknown);
  const malformed = parsed.filter(({ success }) => !success);
  for (const { stored, error } of malformed) log.error('outbox_item_malformed', { pk: stored.pk, sk: stored.sk, error });
  await Promise.all([
    ...delivered.map(({ item: { pk, sk } }) => writeOrLog(database.write({ table, delete: { pk, sk } }), { pk, sk }, log)),
    ...kept.map(({ item, pending }) => writeOrLog(postpone({ ...item, pending }, ports), item, log)),
    ...malformed.map(({ stored }) => writeOrLog(postpone(stored, ports), stored, log)),
  ]);
  const unknown = kept.filter((one) => one.unknown).length;
  swept.relayed += delivered.length;
  swept.unknown += unknown;
  swept.refused += kept.length - unknown;
  swept.malformed += malformed.length;
}

/** Logs a write that the store refuses, so that one item never stops the others. An unavailable store ends the sweep. */
async function writeOrLog(write: Promise<unknown>, { pk, sk }: Key, log: Log): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (isAppError(error, 'unavailable')) throw error;
    log.error('outbox_item_not_updated', { pk, sk, error });
  }
}

/** Gives an event that could not be delivered a later due time, so that it never blocks others. */
async function postpone(item: Item, { database, table, clock }: RelayPorts): Promise<void> {
  const { pk, sk } = item;
  const attempts = typeof item.attempts === 'number' ? item.attempts : 0;
  const waitMs = jitteredMs(Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(attempts, 10)), RETRY.jitter);
  const later = outboxSk(sk.slice(sk.indexOf('#') + 1), clock.nowMs() + waitMs);
  await ignoreIfGone(
    database.transact([
      { table, delete: { pk, sk }, if: { exists: true } },
      { table, put: { ...item, sk: later, attempts: attempts + 1 } },
    ]),
  );
}
