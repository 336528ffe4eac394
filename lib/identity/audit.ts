import * as z from 'zod';
import type { Clock } from '../platform/clock.ts';
import { type Database, type Item, queryAll, type Write } from '../platform/database/database.ts';
import { expiresAt, isExpired } from '../platform/database/table.ts';
import { newId } from '../platform/ids.ts';
import type { Principal } from './principal.ts';
import { auditDayKey, auditDayPk, auditResourceKey, auditResourcePk, dayOf } from './telemetry-table.ts';

/** Who did it, and from where. */
export interface Actor {
  principal: Principal | { type: 'system' };
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** One entry to be written with the change it accounts for. */
export interface AuditEntry {
  actor: Actor;
  /** `<resource>.<verb in the past>`, as in `stack.created`. */
  action: string;
  resourceType: string;
  resourceId?: string | undefined;
  details?: Record<string, unknown>;
}

const time = z.iso.datetime();
export const AuditLog = z
  .object({
    id: z.uuid(),
    timestamp: time,
    actor_type: z.string(),
    actor_id: z.uuid().nullable(),
    action: z.string(),
    resource_type: z.string(),
    resource_id: z.uuid().nullable(),
    details: z.record(z.string(), z.unknown()).nullable(),
    ip_address: z.string().optional(),
    user_agent: z.string().optional(),
    created_at: time,
    actor_name: z.string().nullable(),
  })
  .meta({ id: 'AuditLogEntry' });
export type AuditLog = z.infer<typeof AuditLog>;
const StoredAuditLog = AuditLog.omit({ actor_name: true });
type StoredAuditLog = z.infer<typeof StoredAuditLog>;

/** Two items an entry: under its day, and under what it is about. */
export function auditWrites(
  entry: AuditEntry,
  { table, clock, retentionDays }: { table: string; clock: Clock; retentionDays: number },
): Write[] {
  const now = new Date(clock.nowMs()).toISOString();
  const { principal, ip, userAgent } = entry.actor;
  const log: StoredAuditLog = {
    id: newId(),
    timestamp: now,
    actor_type: principal.type,
    actor_id: 'id' in principal ? principal.id : null,
    action: entry.action,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId ?? null,
    details: entry.details ?? null,
    ...(ip !== undefined && { ip_address: ip }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 512) }),
    created_at: now,
  };
  const fields = { ...log, type: 'audit', expires_at: expiresAt(clock.nowMs(), retentionDays) };
  const put = (key: { pk: string; sk: string }): Write => ({ table, put: { ...fields, ...key } as Item });
  return [put(auditDayKey(now, log.id)), ...(entry.resourceId ? [put(auditResourceKey(entry.resourceId, now, log.id))] : [])];
}

export interface AuditQuery {
  actor_type?: string | undefined;
  actor_id?: string | undefined;
  /** Exact, or a prefix where it ends in `*`. */
  action?: string | undefined;
  resource_type?: string | undefined;
  resource_id?: string | undefined;
  /** Inclusive. */
  from?: string | undefined;
  /** Exclusive. */
  to?: string | undefined;
  limit: number;
  offset: number;
}

/** `total` counts at most this many matches: an audit log is read from its newest end. */
export const AUDIT_SCAN_LIMIT = 10_000;

/** Most days are nearly empty: read one after the other, ninety of them would take most of a second. */
const DAYS_AT_ONCE = 15;

export interface AuditPorts {
  database: Database;
  table: string;
  clock: Clock;
  retentionDays: number;
}

/** Newest first. Reads one resource's partition where the query names one, else day by day within the retention. */
export async function findAuditLogs(query: AuditQuery, ports: AuditPorts): Promise<{ logs: StoredAuditLog[]; total: number }> {
  const matches = matcher(query);
  const found: StoredAuditLog[] = [];
  const days = [...partitions(query, ports)];
  for (let at = 0, left = AUDIT_SCAN_LIMIT; at < days.length && left > 0; at += DAYS_AT_ONCE) {
    const some = days.slice(at, at + DAYS_AT_ONCE);
    const pages = await Promise.all(some.map((pk) => queryAll(ports.database, ports.table, { pk, descending: true, limit: left })));
    const items = pages.flat().slice(0, left);
    left -= items.length;
    const logs = items.filter((item) => !isExpired(item, ports.clock.nowMs())).map((item) => StoredAuditLog.parse(item));
    found.push(...logs.filter(matches));
  }
  return { logs: found.slice(query.offset, query.offset + query.limit), total: found.length };
}

function* partitions(query: AuditQuery, { clock, retentionDays }: AuditPorts): Generator<string> {
  if (query.resource_id !== undefined) return yield auditResourcePk(query.resource_id);
  const newest = Math.min(clock.nowMs(), query.to ? Date.parse(query.to) : Number.POSITIVE_INFINITY);
  const oldest = Math.max(clock.nowMs() - retentionDays * 86_400_000, query.from ? Date.parse(query.from) : 0);
  for (let day = newest; dayOf(new Date(day).toISOString()) >= dayOf(new Date(oldest).toISOString()); day -= 86_400_000) {
    yield auditDayPk(dayOf(new Date(day).toISOString()));
  }
}

function matcher(query: AuditQuery): (log: StoredAuditLog) => boolean {
  const { action } = query;
  const [from, to] = [query.from && Date.parse(query.from), query.to && Date.parse(query.to)];
  return (log) =>
    (query.actor_type === undefined || log.actor_type === query.actor_type) &&
    (query.actor_id === undefined || log.actor_id === query.actor_id) &&
    (action === undefined || (action.endsWith('*') ? log.action.startsWith(action.slice(0, -1)) : log.action === action)) &&
    (query.resource_type === undefined || log.resource_type === query.resource_type) &&
    (query.resource_id === undefined || log.resource_id === query.resource_id) &&
    (!from || Date.parse(log.timestamp) >= from) &&
    (!to || Date.parse(log.timestamp) < to);
}
