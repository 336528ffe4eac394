import type { Occurrence } from '../events/domain-event.ts';
import { type OutboxItem, type OutboxPorts, outboxItem, outboxWrite } from '../events/outbox.ts';
import type { Database, Write } from './database.ts';

/** A change nobody needs to account for says why: telemetry, bookkeeping. */
export interface Unaudited {
  unaudited: string;
}

export interface Change<AuditEntry> {
  writes: readonly Write[];
  /** Who did what to which; required, so that no mutation is ever stored without it. */
  audit: AuditEntry | readonly AuditEntry[] | Unaudited;
  events?: readonly Occurrence[];
}

export type Commit<AuditEntry> = (change: Change<AuditEntry>) => Promise<void>;

export interface CommitPorts<AuditEntry> {
  database: Database;
  /** Where events go, and who is subscribed to them. */
  outbox: Pick<OutboxPorts, 'table' | 'clock' | 'consumers'>;
  auditWrites: (entry: AuditEntry) => readonly Write[] | Promise<readonly Write[]>;
  /** Told of events right after they are stored, so that they needn't wait for the next sweep. Must not throw. */
  committed: (items: readonly OutboxItem[]) => Promise<void> | void;
}

/** The only way anything changes: entities, audit entries and outgoing events in one transaction. */
export function createCommit<AuditEntry extends object>(ports: CommitPorts<AuditEntry>): Commit<AuditEntry> {
  return async ({ writes, audit, events = [] }) => {
    const entries: readonly AuditEntry[] = 'unaudited' in audit ? [] : Array.isArray(audit) ? audit : [audit as AuditEntry];
    const outbox = events.map((event) => outboxItem(event, ports.outbox));
    const audited = await Promise.all(entries.map((entry) => ports.auditWrites(entry)));
    await ports.database.transact([...writes, ...audited.flat(), ...outbox.map((item) => outboxWrite(ports.outbox.table, item))]);
    if (outbox.length > 0) await ports.committed(outbox);
  };
}
