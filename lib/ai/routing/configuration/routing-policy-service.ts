import { timestamp } from '../../../platform/clock.ts';
import type { InOrganization, RoutingCaller, RoutingPorts } from '../routing-ports.ts';
import { checkRoom, findEntry, type Place, setEntryWrite } from './configuration-items.ts';
import { DEFAULT_POLICY, type NewRoutingPolicy, StoredRoutingPolicy } from './routing-policy.ts';

const placeOf = ({ organization_id }: InOrganization, projectId: string): Place => ({ organization_id, kind: 'POLICY', id: projectId });

export async function getRoutingPolicy({ database }: RoutingPorts, caller: InOrganization, projectId: string): Promise<NewRoutingPolicy> {
  return (await findEntry(database, placeOf(caller, projectId), StoredRoutingPolicy))?.policy ?? DEFAULT_POLICY;
}

/** Replaces the project's policy as a whole. */
export async function setRoutingPolicy(
  ports: RoutingPorts,
  caller: RoutingCaller,
  projectId: string,
  policy: NewRoutingPolicy,
): Promise<NewRoutingPolicy> {
  await checkRoom(ports.database, caller.organization_id);
  const { organization_id } = caller;
  const stored: StoredRoutingPolicy = { organization_id, project_id: projectId, policy, updated_at: timestamp(ports.clock) };
  await ports.commit({
    writes: [setEntryWrite(placeOf(caller, projectId), stored)],
    audit: { actor: caller, action: 'routing_policy.updated', resourceType: 'project', resourceId: projectId, details: { ...policy } },
  });
  return policy;
}
