import type { AuditEntry } from '../../identity/audit.ts';
import { findKeyHash, grantWrites, revokeWrites, rotateWrites } from '../../identity/credentials.ts';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { mintPak } from '../../identity/pak.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import type { Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { checkName } from '../checked-text.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentKey, fleetTable } from '../fleet-table.ts';
import type { Agent } from '../protocol/agent-protocol.ts';
import { announceRemoval } from '../removal/fleet-removed.ts';
import { registrationWrites } from '../targeting/registration-repository.ts';
import { agentSelectorsNewWrite, agentSelectorsRemoveWrite, findAgentSelectors } from '../targeting/selection.ts';
import { listAgents, listAgentsOfGenerator } from './agent-lists.ts';
import {
  type AgentRecord,
  agentNewWrites,
  agentRemoveWrites,
  agentUpdateWrites,
  findAgentIdByName,
  findAgentRecord,
} from './agent-repository.ts';
import { newRevision } from './agent-revision.ts';
import { checkStatus, INITIAL_STATUS } from './agent-rules.ts';

const audited = (caller: Caller, action: string, agentId: string, details?: Record<string, unknown>): AuditEntry => ({
  actor: caller,
  action,
  resourceType: action.startsWith('pak.') ? 'pak' : 'agent',
  resourceId: agentId,
  ...(details && { details }),
});

export async function getAgent({ database }: FleetPorts, id: string): Promise<AgentRecord> {
  const record = await findAgentRecord(database, id);
  if (!record) throw fleetError('agent_not_found');
  return record;
}

export async function getAgentByName(ports: FleetPorts, cluster: string, name: string): Promise<AgentRecord> {
  const id = await findAgentIdByName(ports.database, cluster, name);
  if (id === undefined) throw fleetError('agent_not_found');
  return getAgent(ports, id);
}

/** Admins see all agents, a generator sees the agents that are registered with it. */
export const listVisibleAgents = ({ database }: FleetPorts, { principal }: Caller, page: PageRequest): Promise<ListPage<Agent>> =>
  decideFor(principal, {
    admin: () => listAgents(database, page),
    agent: () => {
      throw fleetError('generator_required');
    },
    generator: ({ id }) => listAgentsOfGenerator(database, id, page),
  });

export interface NewAgent {
  name: string;
  cluster_name: string;
  /** The agent is registered with these generators and, like every agent, with the system's generator. */
  generator_ids: readonly string[];
  status?: string;
}

function checkNames({ name, cluster_name }: Pick<AgentChange, 'name' | 'cluster_name'>): void {
  if (name !== undefined) checkName('invalid_agent', 'name', name);
  if (cluster_name !== undefined) checkName('invalid_agent', 'cluster_name', cluster_name);
}

/** Creates an agent with its first key, which is shown only here. One transaction writes everything or nothing. */
export async function createAgent(ports: FleetPorts, caller: Caller, input: NewAgent): Promise<{ agent: Agent; initial_pak: string }> {
  const generatorIds = await checkGenerators(ports, input.generator_ids);
  checkNames(input);
  const now = timestamp(ports.clock);
  const record: AgentRecord = {
    id: newId(),
    created_at: now,
    updated_at: now,
    deleted_at: null,
    name: input.name,
    cluster_name: input.cluster_name,
    status: checkStatus(input.status ?? INITIAL_STATUS),
    last_heartbeat: null,
    k8s_reachable: null,
    k8s_api_latency_ms: null,
    k8s_reported_at: null,
    revision: newRevision(),
    credential_version: 1,
    target_count: 0,
    version: 1,
  };
  const registrations = generatorIds.map((generator_id) => ({ id: newId(), agent_id: record.id, generator_id, registered_at: now }));
  const { pak, hash } = mintPak();
  const writes: Write[] = [
    // The installation's own generators can't be removed, and a check on them would make all new agents wait for each other.
    ...generatorIds
      .filter((id) => !Object.values(ports.installation).includes(id))
      .map((id) => generatorPresent(id, () => noSuchGenerators([id]))),
    ...agentNewWrites(record),
    ...grantWrites({ principal_type: 'agent', principal_id: record.id, credential_version: 1 }, hash),
    agentSelectorsNewWrite(record.id, registrations),
    ...registrations.flatMap((registration) => registrationWrites(registration)),
  ];
  const audit = [
    audited(caller, 'agent.created', record.id, { name: record.name, cluster_name: record.cluster_name }),
    audited(caller, 'pak.created', record.id, { entity: 'agent', name: record.name }),
  ];
  await ports.commit({ writes, audit });
  return { agent: record, initial_pak: pak };
}

/** Each generator must exist and be a tenant. An id that is given twice counts once. The system's generator comes first in the result. */
async function checkGenerators({ database, installation }: FleetPorts, ids: readonly string[]): Promise<string[]> {
  const { system_generator_id: system } = installation;
  const wanted = [...new Set(ids)];
  if (wanted.length > 20) throw fleetError('invalid_generator_id', { message: 'generator_ids must name at most 20 generators' });
  const found = await Promise.all(wanted.map((id) => findGenerator(database, id)));
  const bad = wanted.filter((id, at) => id === system || !found[at]);
  if (bad.length > 0) throw noSuchGenerators(bad);
  return [system, ...wanted];
}

const noSuchGenerators = (ids: readonly string[]) =>
  fleetError('invalid_generator_id', { message: `generator_ids: no such generator: ${ids.join(', ')}`, details: { generator_ids: ids } });

export interface AgentChange {
  name?: string | undefined;
  cluster_name?: string | undefined;
  status?: string | undefined;
}

export const updateAgent = (ports: FleetPorts, caller: Caller, id: string, change: AgentChange): Promise<Agent> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const before = await getAgent(ports, id);
    checkNames(change);
    const after: Agent = {
      ...before,
      ...(change.name !== undefined && { name: change.name }),
      ...(change.cluster_name !== undefined && { cluster_name: change.cluster_name }),
      ...(change.status !== undefined && { status: checkStatus(change.status) }),
      updated_at: timestamp(ports.clock),
    };
    const details = Object.fromEntries(
      (['name', 'cluster_name', 'status'] as const).filter((field) => before[field] !== after[field]).map((field) => [field, after[field]]),
    );
    await ports.commit({ writes: agentUpdateWrites(before, after), audit: audited(caller, 'agent.updated', id, details) });
    return after;
  });

/** Removes the agent's record and its key at once; a consumer clears away the rest. An unknown agent is no error. */
export async function removeAgent(ports: FleetPorts, caller: Caller, id: string): Promise<void> {
  await retryOnConcurrentChange(ports, 'agent', async () => {
    const [before, selectors, hash] = await Promise.all([
      findAgentRecord(ports.database, id),
      findAgentSelectors(ports.database, id),
      findKeyHash(ports.database, id),
    ]);
    if (!before || !selectors) return;
    await ports.commit({
      writes: [
        ...agentRemoveWrites(before),
        agentSelectorsRemoveWrite(id, selectors),
        ...(hash === undefined ? [] : revokeWrites(id, hash)),
      ],
      audit: audited(caller, 'agent.deleted', id, { name: before.name, cluster_name: before.cluster_name }),
      events: [announceRemoval({ kind: 'agent', agent_id: id, generator_ids: selectors.generators })],
    });
  });
  ports.forgetKey(id);
}

/** Makes a new key. The old key is refused from now on. */
export async function rotateAgentPak(ports: FleetPorts, caller: Caller, id: string): Promise<{ agent: Agent; pak: string }> {
  const rotated = await retryOnConcurrentChange(ports, 'key', async () => {
    const [before, old] = await Promise.all([getAgent(ports, id), findKeyHash(ports.database, id)]);
    const { pak, hash } = mintPak();
    const credential = { principal_type: 'agent' as const, principal_id: id, credential_version: before.credential_version + 1 };
    const now = timestamp(ports.clock);
    await ports.commit({
      writes: [
        {
          table: fleetTable.name,
          update: agentKey(id),
          set: { credential_version: credential.credential_version, updated_at: now },
          if: { equals: { credential_version: before.credential_version } },
        },
        ...(old === undefined ? grantWrites(credential, hash) : rotateWrites(credential, old, hash)),
      ],
      audit: audited(caller, 'pak.rotated', id),
    });
    return { agent: { ...before, updated_at: now }, pak };
  });
  ports.forgetKey(id);
  return rotated;
}
