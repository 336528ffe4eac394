import { jitteredMs } from '../backoff.ts';
import type { Item, Key } from '../database/database.ts';
import { isAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ifStillThere, OutboxItem, type RelayPorts, sendOn } from './outbox.ts';
import { OUTBOX_SHARDS, outboxDueBelow, outboxPk, outboxSk } from './work-table.ts';

export interface SweepOptions {
  /** Starts no further page after this time. */
  drainForMs: number;
  log: Log;
  signal?: AbortSignal;
  /** Events read at once from a shard. */
  page?: number;
}

/** The events that this sweep took up, by what became of them. Every one that isn't relayed stays, and is tried again later. */
export interface Swept {
  relayed: number;
  /** A queue did not accept it. */
  refused: number;
  /** This version has no consumer for it; another one may. */
  unknown: number;
  /** The item can't be read by this version. */
  malformed: number;
}

const RETRY = { baseMs: 60_000, capMs: 600_000, jitter: 0.1 };

/** Relays the events that are due, oldest first, until none is left or the time is up: events that their request did not relay. */
export async function sweepOutbox(ports: RelayPorts, options: SweepOptions): Promise<Swept> {
  const swept: Swept = { relayed: 0, refused: 0, unknown: 0, malformed: 0 };
  const deadline = ports.clock.monotonicMs() + options.drainForMs;
  const goesOn = () => ports.clock.monotonicMs() < deadline && !options.signal?.aborted;
  const shards = await Promise.allSettled(OUTBOX_SHARDS.map((shard) => sweepShard(shard, { ports, options, swept, goesOn })));
  for (const shard of shards) if (shard.status === 'rejected') throw shard.reason;
  return swept;
}

interface Sweep {
  ports: RelayPorts;
  options: SweepOptions;
  swept: Swept;
  goesOn: () => boolean;
}

async function sweepShard(shard: string, { ports, options: { page: limit = 100, log }, swept, goesOn }: Sweep): Promise<void> {
  const { database, table, clock } = ports;
  let after: string | undefined;
  do {
    const { items, next } = await database.query(table, { pk: outboxPk(shard), limit, ...(after !== undefined && { after }) });
    const due = items.filter(({ sk }) => sk < outboxDueBelow(clock.nowMs()));
    await sweepPage(due, ports, swept, log);
    after = due.length === items.length ? next : undefined;
  } while (after !== undefined && goesOn());
}

async function sweepPage(due: readonly Item[], ports: RelayPorts, swept: Swept, log: Log): Promise<void> {
  const { database, table } = ports;
  const parsed = due.map((stored) => ({ stored, ...OutboxItem.safeParse(stored) }));
  const sent = await sendOn(
    parsed.flatMap(({ data }) => (data ? [data] : [])),
    ports,
  );
  const delivered = sent.filter(({ pending, unknown }) => pending.length === 0 && !unknown);
  const kept = sent.filter(({ pending, unknown }) => pending.length > 0 || unknown);
  const malformed = parsed.filter(({ success }) => !success);
  for (const { stored, error } of malformed) log.error('outbox_item_malformed', { pk: stored.pk, sk: stored.sk, error });
  await Promise.all([
    ...delivered.map(({ item: { pk, sk } }) => orLog(database.write({ table, delete: { pk, sk } }), { pk, sk }, log)),
    ...kept.map(({ item, pending }) => orLog(postpone({ ...item, pending }, ports), item, log)),
    ...malformed.map(({ stored }) => orLog(postpone(stored, ports), stored, log)),
  ]);
  const unknown = kept.filter((one) => one.unknown).length;
  swept.relayed += delivered.length;
  swept.unknown += unknown;
  swept.refused += kept.length - unknown;
  swept.malformed += malformed.length;
}

/** An item that the store refuses to change stays where it is, and stops no other. A store that refuses everything ends the sweep. */
async function orLog(write: Promise<unknown>, { pk, sk }: Key, log: Log): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (isAppError(error, 'unavailable')) throw error;
    log.error('outbox_item_not_updated', { pk, sk, error });
  }
}

/** Gives an event that could not be delivered a later due time, so that it never stands before others. */
async function postpone(item: Item, { database, table, clock }: RelayPorts): Promise<void> {
  const { pk, sk } = item;
  const attempts = typeof item.attempts === 'number' ? item.attempts : 0;
  const waitMs = jitteredMs(Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(attempts, 10)), RETRY.jitter);
  const later = outboxSk(sk.slice(sk.indexOf('#') + 1), clock.nowMs() + waitMs);
  await ifStillThere(
    database.transact([
      { table, delete: { pk, sk }, if: { exists: true } },
      { table, put: { ...item, sk: later, attempts: attempts + 1 } },
    ]),
  );
}
