import { type AuditLog, type AuditPorts, type AuditQuery, findAuditLogs } from '../identity/audit.ts';
import { findGenerator } from '../identity/generator-repository.ts';
import { findAgentRecord } from './agents/agent-repository.ts';
import type { FleetPorts } from './fleet-ports.ts';

export interface AuditPage {
  logs: AuditLog[];
  total: number;
  count: number;
  limit: number;
  offset: number;
}

/** A page of the audit log with the actors' names as they are today; null for one that is gone. */
export async function listAuditLogs(at: FleetPorts & { audit: AuditPorts }, query: AuditQuery): Promise<AuditPage> {
  const { logs, total } = await findAuditLogs(query, at.audit);
  const actors = new Map(logs.map((log) => [`${log.actor_type} ${log.actor_id ?? ''}`, log]));
  const names = new Map(
    await Promise.all([...actors].map(async ([key, log]) => [key, await nameOf(at, log.actor_type, log.actor_id)] as const)),
  );
  const named = logs.map((log) => ({ ...log, actor_name: names.get(`${log.actor_type} ${log.actor_id ?? ''}`) ?? null }));
  return { logs: named, total, count: named.length, limit: query.limit, offset: query.offset };
}

async function nameOf({ database }: FleetPorts, type: string, id: string | null): Promise<string | null> {
  if (id === null) return type;
  const found = type === 'agent' ? await findAgentRecord(database, id) : await findGenerator(database, id);
  return found?.name ?? null;
}
