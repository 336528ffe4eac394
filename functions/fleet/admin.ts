import * as z from 'zod';
import { AuditLog } from '../../lib/identity/audit.ts';
import { searchAuditLogs, TOTAL_COUNTED } from '../../lib/identity/audit-search.ts';
import { isStamped } from '../../lib/identity/telemetry-table.ts';
import { cursorParameter } from '../../lib/platform/list-cursor.ts';
import { API, adminOnly, endpoint, fleetFunction, Id } from './fleet-endpoint.ts';

const time = z.iso.datetime({ offset: true, message: 'must be an RFC 3339 time' });
/** A number out of range is brought into range, as the contract says; a text that is not a number is refused. */
const clamped = (least: number, most: number, fallback: number) =>
  z.coerce
    .number()
    .int()
    .default(fallback)
    .transform((value) => Math.min(most, Math.max(least, value)));

const AuditLogQuery = z.object({
  actor_type: z.string().optional(),
  actor_id: Id.optional(),
  action: z.string().optional(),
  resource_type: z.string().optional(),
  resource_id: Id.optional(),
  from: time.optional(),
  to: time.optional(),
  limit: clamped(1, 1000, 100),
  offset: clamped(0, 10_000, 0),
  cursor: cursorParameter(isStamped),
});
const AuditLogList = z
  .object({ logs: z.array(AuditLog), total: z.int(), count: z.int(), limit: z.int(), offset: z.int(), next: z.string().nullable() })
  .meta({ id: 'AuditLogListResponse' });

export const adminEndpoints = [
  endpoint({
    id: 'list_audit_logs',
    method: 'GET',
    path: `${API}/admin/audit-logs`,
    summary: 'Search the audit log, newest first',
    tag: 'admin',
    description: `An \`action\` that ends in \`*\` matches by prefix. \`from\` is inclusive, \`to\` exclusive. \`total\` is exact up to ${TOTAL_COUNTED} entries; beyond that it is a lower bound. One request reads a bounded part of the log: if \`next\` is not null, ask again with \`?cursor=\` and that text, even after a page with few entries or none.`,
    access: adminOnly,
    query: AuditLogQuery,
    status: 200,
    response: AuditLogList,
    handle: ({ services }, { query }) => searchAuditLogs(query, services.audit),
  }),
];
export const handler = fleetFunction(adminEndpoints);
