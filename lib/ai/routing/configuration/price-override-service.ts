import { dashboardError } from '../../../identity/accounts/dashboard-errors.ts';
import type { AuditEntry } from '../../../identity/audit.ts';
import { timestamp } from '../../../platform/clock.ts';
import { newUlid } from '../../../platform/ids.ts';
import type { InOrganization, RoutingCaller, RoutingPorts } from '../routing-ports.ts';
import { checkRoom, findEntry, listEntries, newEntryWrite, type Place, removeEntryWrite } from './configuration-items.ts';
import { type NewPriceOverride, StoredPriceOverride } from './price-override.ts';

const placeOf = ({ organization_id }: InOrganization, id: string): Place => ({ organization_id, kind: 'PRICE', id });
const notFound = () => dashboardError('PRICE_NOT_FOUND');
const audited = (caller: RoutingCaller, verb: string, id: string, more: Record<string, unknown> = {}): AuditEntry => ({
  actor: caller,
  action: `price_override.${verb}`,
  resourceType: 'price_override',
  details: { organization_id: caller.organization_id, price_id: id, ...more },
});

export const listPriceOverrides = ({ database }: RoutingPorts, organizationId: string): Promise<StoredPriceOverride[]> =>
  listEntries(database, { organization_id: organizationId, kind: 'PRICE' }, StoredPriceOverride);

export async function getPriceOverride({ database }: RoutingPorts, caller: InOrganization, id: string): Promise<StoredPriceOverride> {
  const override = await findEntry(database, placeOf(caller, id), StoredPriceOverride);
  if (!override) throw notFound();
  return override;
}

/** Overrides are never changed: a newer one for the same model holds from its own time on. */
export async function createPriceOverride(
  ports: RoutingPorts,
  caller: RoutingCaller,
  { valid_from, ...given }: NewPriceOverride,
): Promise<StoredPriceOverride> {
  await checkRoom(ports.database, caller.organization_id);
  const now = timestamp(ports.clock);
  const override: StoredPriceOverride = {
    ...given,
    organization_id: caller.organization_id,
    id: newUlid(ports.clock.nowMs()),
    valid_from: valid_from === undefined ? now : new Date(valid_from).toISOString(),
    created_at: now,
  };
  const { id, provider, model } = override;
  await ports.commit({
    answer: override,
    writes: [newEntryWrite(placeOf(caller, id), override, () => dashboardError('VERSION_CONFLICT'))],
    audit: audited(caller, 'created', id, { provider, model }),
  });
  return override;
}

export async function removePriceOverride(ports: RoutingPorts, caller: RoutingCaller, id: string): Promise<void> {
  await ports.commit({ writes: [removeEntryWrite(placeOf(caller, id), notFound)], audit: audited(caller, 'removed', id) });
}
