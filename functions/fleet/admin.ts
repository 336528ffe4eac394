import * as z from 'zod';
import { listAuditLogs } from '../../lib/fleet/audit-service.ts';
import { AuditLog } from '../../lib/identity/audit.ts';
import { API, adminOnly, endpoint, fleetFunction, Id } from './fleet-endpoint.ts';

const time = z.iso.datetime({ offset: true, message: 'must be an RFC 3339 time' });
/** Out of range is brought into range, as the contract says; what is no number at all is refused. */
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
});
const AuditLogList = z
  .object({ logs: z.array(AuditLog), total: z.int(), count: z.int(), limit: z.int(), offset: z.int() })
  .meta({ id: 'AuditLogListResponse' });

export const adminEndpoints = [
  endpoint({
    id: 'list_audit_logs',
    method: 'GET',
    path: `${API}/admin/audit-logs`,
    summary: 'Who did what, newest first',
    tag: 'admin',
    description: 'An `action` ending in `*` matches by prefix. `from` is inclusive, `to` exclusive. `total` counts up to 10,000 entries.',
    access: adminOnly,
    query: AuditLogQuery,
    status: 200,
    response: AuditLogList,
    handle: ({ services }, { query }) => listAuditLogs(services, query),
  }),
];
export const handler = fleetFunction(adminEndpoints);
