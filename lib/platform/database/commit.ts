import type { Occurrence } from '../events/domain-event.ts';
import { mayBeSent, type OutboxItem, type OutboxPorts, outboxItem, outboxWrite } from '../events/outbox.ts';
import type { Database, Write } from './database.ts';

/** The reason why a change has no audit entry, such as telemetry or bookkeeping. */
export interface Unaudited {
  unaudited: string;
}

export interface Change<AuditEntry> {
  writes: readonly Write[];
  /** The entries that account for the change. Required, so that no change is stored without one by mistake. */
  audit: AuditEntry | readonly AuditEntry[] | Unaudited;
  events?: readonly Occurrence[];
  /** What the verb returns. It is stored with the change if the caller sent an Idempotency-Key. */
  answer?: unknown;
}

export type Commit<AuditEntry> = (change: Change<AuditEntry>) => Promise<void>;

export interface CommitPorts<AuditEntry> {
  database: Database;
  /** The work table, which stores the events, and the consumers that subscribe to them. */
  outbox: Pick<OutboxPorts, 'table' | 'clock' | 'consumers'>;
  auditWrites: (entry: AuditEntry) => readonly Write[] | Promise<readonly Write[]>;
  /** Called with the events right after they are stored, so that they needn't wait for the next sweep. Must not throw. */
  afterCommit: (items: readonly OutboxItem[]) => Promise<void> | void;
}

/**
 * Stores a change, its audit entries and its events in one transaction. Every change by a caller goes this way. Only bookkeeping is
 * written directly, by the files that test/architecture/direct-writes.test.ts lists.
 */
export function createCommit<AuditEntry extends object>(ports: CommitPorts<AuditEntry>): Commit<AuditEntry> {
  return async ({ writes, audit, events = [] }) => {
    const entries: readonly AuditEntry[] = 'unaudited' in audit ? [] : Array.isArray(audit) ? audit : [audit as AuditEntry];
    const outbox = events.map((event) => outboxItem(event, ports.outbox));
    const audited = await Promise.all(entries.map((entry) => ports.auditWrites(entry)));
    await ports.database.transact([...writes, ...audited.flat(), ...outbox.map((item) => outboxWrite(ports.outbox.table, item))]);
    const now = outbox.filter((item) => mayBeSent(item, ports.outbox.clock.nowMs()));
    if (now.length > 0) await ports.afterCommit(now);
  };
}
