import * as z from 'zod';
import type { Clock } from '../platform/clock.ts';
import type { Database, Item, Key, Write } from '../platform/database/database.ts';
import { expiresAt } from '../platform/database/table.ts';
import { newId } from '../platform/ids.ts';
import type { UserPrincipal } from './accounts/account-principals.ts';
import { findGenerator } from './generator-repository.ts';
import { decideFor, type Principal, principalReference } from './principal.ts';
import { auditKey, auditResourceKey, refusalKey } from './telemetry-table.ts';

/** The caller who made a change, or the system itself, with the address of the request. */
export interface Actor {
  principal: Principal | { type: 'system' } | Pick<UserPrincipal, 'type' | 'user_id' | 'email'>;
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** An entry that is written in the transaction of the change that it accounts for. */
export interface AuditEntry {
  actor: Actor;
  /** `<resource>.<verb in the past>`, as in `stack.created`. */
  action: string;
  resourceType: string;
  resourceId?: string | undefined;
  details?: Record<string, unknown>;
}

/** The one action that a caller without a key can cause. Its entries have partitions of their own. */
export const REFUSED_KEY = 'auth.failed';

const time = z.iso.datetime();
export const AuditLog = z
  .object({
    id: z.uuid(),
    timestamp: time,
    actor_type: z.string(),
    /** A UUID of the fleet, or a ULID of an account. */
    actor_id: z.string().nullable(),
    action: z.string(),
    resource_type: z.string(),
    resource_id: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).nullable(),
    ip_address: z.string().optional(),
    user_agent: z.string().optional(),
    created_at: time,
    actor_name: z.string().nullable(),
  })
  .meta({ id: 'AuditLogEntry' });
export type AuditLog = z.infer<typeof AuditLog>;

export interface AuditPorts {
  database: Database;
  table: string;
  clock: Clock;
  retentionDays: number;
}

/**
 * An entry is two items: one in the log, one in the list of its resource. The actor's name is stored with the entry, so that it outlives
 * the actor. For a generator the name costs one read unit.
 */
export async function auditWrites(entry: AuditEntry, { database, table, clock, retentionDays }: AuditPorts): Promise<Write[]> {
  const now = new Date(clock.nowMs()).toISOString();
  const { principal, ip, userAgent } = entry.actor;
  const { type, id } = actorOf(principal);
  const log: AuditLog = {
    id: newId(),
    timestamp: now,
    actor_type: type,
    actor_id: id ?? null,
    action: entry.action,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId ?? null,
    details: entry.details ?? null,
    ...(ip !== undefined && { ip_address: ip }),
    ...(userAgent !== undefined && { user_agent: userAgent.slice(0, 512) }),
    created_at: now,
    actor_name: await nameOf(database, principal),
  };
  const fields = { ...log, type: 'audit', expires_at: expiresAt(clock.nowMs(), retentionDays) };
  const put = (key: Key): Write => ({ table, put: { ...fields, ...key } as Item });
  const inLog = entry.action === REFUSED_KEY ? refusalKey(now, log.id) : auditKey(now, log.id);
  return [put(inLog), ...(entry.resourceId ? [put(auditResourceKey(entry.resourceId, now, log.id))] : [])];
}

/** An unknown kind of principal is refused here at the latest, so that no change is stored without its audit entry. */
function actorOf(principal: Actor['principal']): { type: string; id?: string } {
  if ('user_id' in principal) return { type: principal.type, id: principal.user_id };
  return principal.type === 'system' ? principal : principalReference(principal);
}

async function nameOf(database: Database, principal: Actor['principal']): Promise<string | null> {
  if ('user_id' in principal) return principal.email;
  if (principal.type === 'system') return principal.type;
  return decideFor<string | null | Promise<string | null>>(principal, {
    admin: ({ type }) => type,
    agent: ({ item }) => (typeof item.name === 'string' ? item.name : null),
    generator: async ({ id }) => (await findGenerator(database, id))?.name ?? null,
  });
}
