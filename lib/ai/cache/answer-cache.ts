import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { createBoundedCache } from '../../platform/bounded-cache.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Log } from '../../platform/log.ts';
import { cachedAnswerKey, gatewayTable } from '../gateway-table.ts';
import { type CachedAnswer, decodeAnswer, encodeAnswer, isComplete } from './cached-answer.ts';

export interface AnswerCache {
  /** Undefined if nothing is kept, or the store can't be asked: a cache never fails a call. */
  find(projectId: string, key: string): Promise<CachedAnswer | undefined>;
  /** Keeps a complete answer of a bounded size; any other one is left out. */
  keep(projectId: string, key: string, answer: CachedAnswer, ttlSeconds: number): Promise<void>;
}

export interface AnswerCachePorts {
  database: Database;
  clock: Pick<Clock, 'nowMs' | 'sleep'>;
  log: Pick<Log, 'warn'>;
}

/** A read that takes longer is given up: the provider is there. */
const FIND_MS = 250;
/** An item of the store has at most 400 KB. */
const MAX_STORED_BYTES = 350 * 1024;
/** Before it is compressed: nobody keeps a memory full of answers. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** In memory are at most so many answers of at most this size: 32 MiB. */
const MEMORY = { entries: 1_000, bytes: 32 * 1024 };

interface Entry {
  body: Uint8Array;
  endsAtMs: number;
}

const compress = promisify(gzip);
const expand = promisify(gunzip);

/**
 * Answers that were given before, compressed, in the store and for a part in this process's memory. They end by the clock: the store deletes
 * what has ended only later.
 */
export function createAnswerCache({ database, clock, log }: AnswerCachePorts): AnswerCache {
  const memory = createBoundedCache<Entry>(MEMORY.entries);
  const remember = (key: string, entry: Entry) => {
    if (entry.body.length <= MEMORY.bytes) memory.set(key, entry);
  };

  async function stored(projectId: string, key: string): Promise<Entry | undefined> {
    const item = await database.get(gatewayTable.name, cachedAnswerKey(projectId, key));
    if (!(item?.body instanceof Uint8Array) || typeof item.ends_at_ms !== 'number') return undefined;
    return { body: item.body, endsAtMs: item.ends_at_ms };
  }

  return {
    async find(projectId, key) {
      try {
        const known = memory.get(key);
        const entry = known ?? (await within(stored(projectId, key), FIND_MS, clock));
        if (!entry || entry.endsAtMs <= clock.nowMs()) {
          if (known) memory.delete(key);
          return undefined;
        }
        if (!known) remember(key, entry);
        return decodeAnswer((await expand(entry.body, { maxOutputLength: MAX_TEXT_BYTES })).toString());
      } catch (error) {
        log.warn('cache_not_read', { project: projectId, error });
        return undefined;
      }
    },
    async keep(projectId, key, answer, ttlSeconds) {
      if (ttlSeconds <= 0 || !isComplete(answer.completion)) return;
      const text = encodeAnswer(answer);
      if (text.length > MAX_TEXT_BYTES) return;
      const body = await compress(text);
      if (body.length > MAX_STORED_BYTES) return;
      const endsAtMs = clock.nowMs() + ttlSeconds * 1_000;
      const item = {
        ...cachedAnswerKey(projectId, key),
        type: 'cached-answer',
        body,
        ends_at_ms: endsAtMs,
        expires_at: Math.ceil(endsAtMs / 1_000),
      };
      try {
        await database.write({ table: gatewayTable.name, put: item });
        remember(key, { body, endsAtMs });
      } catch (error) {
        log.warn('cache_not_written', { project: projectId, error });
      }
    },
  };
}

/** The result if it comes within the time, undefined if it comes later. */
async function within<T>(coming: Promise<T>, ms: number, clock: Pick<Clock, 'sleep'>): Promise<T | undefined> {
  const came = new AbortController();
  const late = clock.sleep(ms, came.signal).then(() => undefined);
  for (const one of [coming, late]) one.catch(() => {});
  try {
    return await Promise.race([coming, late]);
  } finally {
    came.abort();
  }
}
