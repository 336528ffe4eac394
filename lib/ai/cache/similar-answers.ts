import { hash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Log } from '../../platform/log.ts';
import { gatewayTable, similarKey, similarPk } from '../gateway-table.ts';
import { similarity, smallVector } from './small-vector.ts';

export interface SimilarAnswers {
  /** The key of the answer to the most similar question, if one is similar enough. */
  find(projectId: string, fingerprint: string, vector: readonly number[], threshold: number): Promise<string | undefined>;
  keep(projectId: string, fingerprint: string, vector: readonly number[], answerKey: string, ttlSeconds: number): Promise<void>;
}

/** So many questions of one fingerprint are compared, the newest ones. With 1,536 dimensions they are 50 KB. */
const CANDIDATES = 32;

/** Questions by their meaning, each with the key of its answer in the exact cache. */
export function createSimilarAnswers({
  database,
  clock,
  log,
}: {
  database: Database;
  clock: Pick<Clock, 'nowMs'>;
  log: Pick<Log, 'warn'>;
}): SimilarAnswers {
  return {
    async find(projectId, fingerprint, vector, threshold) {
      try {
        const { items } = await database.query(gatewayTable.name, {
          pk: similarPk(projectId, fingerprint),
          descending: true,
          limit: CANDIDATES,
        });
        const wanted = smallVector(vector);
        let best: { similarity: number; key: string } | undefined;
        for (const { vector: stored, answer_key: key, ends_at_ms } of items) {
          if (!(stored instanceof Uint8Array) || typeof key !== 'string' || Number(ends_at_ms) <= clock.nowMs()) continue;
          const found = similarity(wanted, new Int8Array(stored.buffer, stored.byteOffset, stored.byteLength));
          if (found >= threshold && found > (best?.similarity ?? 0)) best = { similarity: found, key };
        }
        return best?.key;
      } catch (error) {
        log.warn('cache_not_read', { project: projectId, error });
        return undefined;
      }
    },
    async keep(projectId, fingerprint, vector, answerKey, ttlSeconds) {
      const nowMs = clock.nowMs();
      const small = smallVector(vector);
      const ends_at_ms = nowMs + ttlSeconds * 1_000;
      const item = {
        ...similarKey(projectId, fingerprint, nowMs, hash('sha256', answerKey).slice(0, 8)),
        type: 'similar-question',
        vector: new Uint8Array(small.buffer, small.byteOffset, small.byteLength),
        answer_key: answerKey,
        ends_at_ms,
        expires_at: Math.ceil(ends_at_ms / 1_000),
      };
      try {
        await database.write({ table: gatewayTable.name, put: item });
      } catch (error) {
        log.warn('cache_not_written', { project: projectId, error });
      }
    },
  };
}
