import type { Services } from '../../../../functions/services.ts';
import { notifyAfterCommit } from '../../../../lib/fleet/targeting/notify-agents.ts';
import { type AuditEntry, auditWrites } from '../../../../lib/identity/audit.ts';
import type { Clock } from '../../../../lib/platform/clock.ts';
import { createCommit } from '../../../../lib/platform/database/commit.ts';
import type { Database } from '../../../../lib/platform/database/database.ts';
import { AppError } from '../../../../lib/platform/errors.ts';

export interface StoreFaults {
  /** How often a write is carried out although the caller hears that the store didn't answer. */
  lostAnswers: number;
  /** How often a call never reaches the store. */
  lostCalls: number;
  random: () => number;
}

const unavailable = () => new AppError('unavailable', 'the store does not answer', { retryAfterSeconds: 2 });

/** A store that now and then doesn't answer: before a call, or after it has carried out a write. */
export function faultyDatabase(database: Database, { lostAnswers, lostCalls, random }: StoreFaults): Database {
  const reach = () => {
    if (random() < lostCalls) throw unavailable();
  };
  const answer = <T>(value: T): T => {
    if (random() < lostAnswers) throw unavailable();
    return value;
  };
  return {
    ...database,
    async get(...call) {
      reach();
      return database.get(...call);
    },
    async query(...call) {
      reach();
      return database.query(...call);
    },
    async batchGet(...call) {
      reach();
      return database.batchGet(...call);
    },
    async transactGet(...call) {
      reach();
      return database.transactGet(...call);
    },
    async putAll(...call) {
      reach();
      return answer(await database.putAll(...call));
    },
    async write(...call) {
      reach();
      return answer(await database.write(...call));
    },
    async transact(...call) {
      reach();
      return answer(await database.transact(...call));
    },
  };
}

/** One more server over the same store and the same queues, with its own clock. */
export function serverInstance(services: Services, { clock, database }: { clock: Clock; database: Database }): Services {
  const audit = { ...services.audit, clock, database };
  const outbox = { ...services.outbox, clock, database };
  const instance: Services = {
    ...services,
    clock,
    database,
    audit,
    outbox,
    commit: createCommit<AuditEntry>({
      database,
      outbox,
      auditWrites: (entry) => auditWrites(entry, audit),
      afterCommit: (items) => notifyAfterCommit(instance)(items),
    }),
  };
  return instance;
}
