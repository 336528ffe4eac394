import type { AuditEntry } from '../../identity/audit.ts';
import { decideFor } from '../../identity/principal.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller } from '../fleet-ports.ts';
import type { StoredOrder } from './work-order.ts';

/** Admins see every order, a generator its own. */
export const checkOwner = ({ principal }: Caller, { generator_id }: { generator_id: string | null }): void =>
  decideFor(principal, {
    admin: () => {},
    agent: () => {
      throw fleetError('admin_required');
    },
    generator: ({ id }) => {
      if (id !== generator_id) throw fleetError('work_order_not_owned');
    },
  });

/** The generator whose orders alone the caller sees; undefined for an admin. */
export const ownedBy = ({ principal }: Caller): string | undefined =>
  decideFor(principal, { admin: () => undefined, agent: ({ id }) => id, generator: ({ id }) => id });

export const orderAudit = (
  actor: AuditEntry['actor'],
  action: string,
  { id, work_type }: Pick<StoredOrder, 'id' | 'work_type'>,
  more: Record<string, unknown> = {},
): AuditEntry => ({
  actor,
  action,
  resourceType: 'work_order',
  resourceId: id,
  details: { work_type, ...more },
});
