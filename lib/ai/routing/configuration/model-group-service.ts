import { dashboardError } from '../../../identity/accounts/dashboard-errors.ts';
import type { AuditEntry } from '../../../identity/audit.ts';
import { timestamp } from '../../../platform/clock.ts';
import type { InOrganization, RoutingCaller, RoutingPorts } from '../routing-ports.ts';
import { changeEntryWrite, checkRoom, findEntry, listEntries, newEntryWrite, type Place, removeEntryWrite } from './configuration-items.ts';
import { type ModelGroupChange, type NewModelGroup, StoredModelGroup } from './model-group.ts';

const placeOf = ({ organization_id }: InOrganization, id: string): Place => ({ organization_id, kind: 'GROUP', id });
const notFound = () => dashboardError('MODEL_GROUP_NOT_FOUND');
const audited = (caller: RoutingCaller, verb: string, id: string): AuditEntry => ({
  actor: caller,
  action: `model_group.${verb}`,
  resourceType: 'model_group',
  details: { organization_id: caller.organization_id, group_id: id },
});

export const listModelGroups = ({ database }: RoutingPorts, organizationId: string): Promise<StoredModelGroup[]> =>
  listEntries(database, { organization_id: organizationId, kind: 'GROUP' }, StoredModelGroup);

export async function getModelGroup({ database }: RoutingPorts, caller: InOrganization, id: string): Promise<StoredModelGroup> {
  const group = await findEntry(database, placeOf(caller, id), StoredModelGroup);
  if (!group) throw notFound();
  return group;
}

export async function createModelGroup(ports: RoutingPorts, caller: RoutingCaller, given: NewModelGroup): Promise<StoredModelGroup> {
  await checkRoom(ports.database, caller.organization_id);
  const now = timestamp(ports.clock);
  const group: StoredModelGroup = { version: 1, organization_id: caller.organization_id, ...given, created_at: now, updated_at: now };
  const taken = () => dashboardError('NAME_ALREADY_EXISTS', { message: `the group ${group.id} exists` });
  await ports.commit({
    answer: group,
    writes: [newEntryWrite(placeOf(caller, group.id), group, taken)],
    audit: audited(caller, 'created', group.id),
  });
  return group;
}

/** Changes the members that are given. The priority null means that the call's or the project's holds. */
export async function updateModelGroup(
  ports: RoutingPorts,
  caller: RoutingCaller,
  id: string,
  { targets, priority }: ModelGroupChange,
): Promise<StoredModelGroup> {
  const before = await getModelGroup(ports, caller, id);
  const { priority: old, ...rest } = before;
  const kept = priority === undefined ? old : priority;
  const after: StoredModelGroup = {
    ...rest,
    ...(targets && { targets }),
    ...(kept && { priority: kept }),
    updated_at: timestamp(ports.clock),
  };
  await ports.commit({ writes: [changeEntryWrite(placeOf(caller, id), before, after)], audit: audited(caller, 'updated', id) });
  return after;
}

export async function removeModelGroup(ports: RoutingPorts, caller: RoutingCaller, id: string): Promise<void> {
  await ports.commit({ writes: [removeEntryWrite(placeOf(caller, id), notFound)], audit: audited(caller, 'removed', id) });
}
