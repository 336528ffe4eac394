import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from './clock.ts';
import type { Change, Commit } from './database/commit.ts';
import type { Database, Item, Key } from './database/database.ts';
import { AppError } from './errors.ts';
import type { Sealing } from './sealing/sealing.ts';

/** How long a repeated request gets the answer of the first one. */
const KEPT_MS = 86_400_000;
const KEY = /^[\x21-\x7e]{1,255}$/;
const KEY_RULE = 'must have 1 to 255 visible ASCII characters';

export interface IdempotencyPorts {
  database: Database;
  clock: Clock;
  table: string;
  /** Where the answer to a caller's request with this key lies. `hash` is a hash of the key. */
  keyOf(caller: string, hash: string): Key;
  /** Answers may contain secrets that are shown once, so they are stored sealed. */
  sealing: Sealing;
}

export interface RepeatableRequest {
  /** The value of Idempotency-Key; undefined if the caller sent none. */
  key: string | undefined;
  /** Who asks. Two callers may use the same key. */
  caller: string;
  /** What is asked: operation, path and input. */
  request: unknown;
}

const Stored = z.object({ request_hash: z.string(), sealed: z.string(), until_ms: z.number() });
/** Another request with the same key was faster. */
class AlreadyDone extends Error {}

/**
 * Runs a creation at most once for each Idempotency-Key of a caller, within 24 hours. `create` commits by the function that it is given,
 * once, and passes the answer with the change, so that effect and answer are stored in one transaction. A repeated request gets the
 * stored answer. The same key with another request is a conflict.
 */
export async function createOnce<AuditEntry, T>(
  ports: IdempotencyPorts,
  { key, caller, request }: RepeatableRequest,
  commit: Commit<AuditEntry>,
  create: (commit: Commit<AuditEntry>) => Promise<T>,
): Promise<T> {
  if (key === undefined) return create(commit);
  if (!KEY.test(key))
    throw new AppError('bad_request', `Idempotency-Key: ${KEY_RULE}`, {
      code: 'INVALID_FORMAT',
      details: { field: 'Idempotency-Key', constraint: KEY_RULE },
    });
  const place = ports.keyOf(caller, sha256(key));
  const requestHash = sha256(JSON.stringify(request));
  const before = await findAnswer<T>(ports, place, requestHash);
  if (before) return before.answer;
  try {
    // The first write that fails names the reason: a repeated creation would find its own name taken.
    return await create(async (change) =>
      commit({ ...change, writes: [await answerWrite(ports, place, requestHash, change), ...change.writes] }),
    );
  } catch (error) {
    if (!(error instanceof AlreadyDone)) throw error;
    const done = await findAnswer<T>(ports, place, requestHash);
    if (!done) throw new AppError('unavailable', 'another request with this key is being carried out', { retryAfterSeconds: 1 });
    return done.answer;
  }
}

async function findAnswer<T>(ports: IdempotencyPorts, place: Key, requestHash: string): Promise<{ answer: T } | undefined> {
  const item = await ports.database.get(ports.table, place);
  if (!item) return undefined;
  const { request_hash, sealed, until_ms } = Stored.parse(item);
  if (until_ms <= ports.clock.nowMs()) return undefined;
  if (request_hash !== requestHash)
    throw new AppError('conflict', 'this Idempotency-Key was used with another request', { code: 'IDEMPOTENCY_CONFLICT' });
  return JSON.parse(await ports.sealing.open(sealed, place.pk));
}

async function answerWrite<AuditEntry>(ports: IdempotencyPorts, place: Key, requestHash: string, change: Change<AuditEntry>) {
  if (change.answer === undefined) throw new Error('a creation with an Idempotency-Key has to pass its answer with the change');
  const nowMs = ports.clock.nowMs();
  const until_ms = nowMs + KEPT_MS;
  const sealed = await ports.sealing.seal(JSON.stringify({ answer: change.answer }), place.pk);
  const put: Item = {
    ...place,
    type: 'idempotent-answer',
    request_hash: requestHash,
    sealed,
    until_ms,
    expires_at: Math.ceil(until_ms / 1000),
  };
  // An answer whose time is over counts as none: the store deletes it late.
  return { table: ports.table, put, if: { below: { until_ms: nowMs + 1 } }, orElse: () => new AlreadyDone() };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
