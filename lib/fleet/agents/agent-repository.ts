import * as z from 'zod';
import type { Database, Item, Write } from '../../platform/database/database.ts';
import { uniqueViolation } from '../fleet-errors.ts';
import { agentKey, agentNameKey, fleetTable } from '../fleet-table.ts';
import { revisionMove } from './agent-revision.ts';
import { Agent, AgentRecordFields } from './agent-rules.ts';

const table = fleetTable.name;

export const AgentRecord = Agent.extend(AgentRecordFields);
export type AgentRecord = z.infer<typeof AgentRecord>;

export async function findAgentRecord(database: Database, id: string): Promise<AgentRecord | undefined> {
  const item = await database.get(table, agentKey(id));
  return item && AgentRecord.parse(item);
}

/**
 * Returns the record for admission. Only the fields that admission decides on are parsed, because every idle poll runs this. Handlers
 * that need other fields parse them.
 */
export async function findAgentAccount(database: Database, id: string) {
  const item = await database.get(table, agentKey(id));
  return item && { ...item, ...Account.parse(item) };
}
const Account = z.object({ revision: z.string(), status: z.string(), credential_version: z.int() });

export async function findAgentIdByName(database: Database, cluster: string, name: string): Promise<string | undefined> {
  const item = await database.get(table, agentNameKey(cluster, name));
  return item && z.uuid().parse(item.id);
}

/** Returns the given ids whose agent still exists. */
export async function liveAgentsAmong(database: Database, ids: readonly string[]): Promise<Set<string>> {
  const items = await database.batchGet(table, [...new Set(ids)].map(agentKey));
  return new Set(items.map((item) => item.sk));
}

const item = (record: AgentRecord): Item => ({ ...agentKey(record.id), type: 'agent', ...record });
const nameTaken = () => uniqueViolation('agents_cluster_name_name', 'an agent of this name exists in this cluster');
const nameItem = (agent: Agent): Item => ({ ...agentNameKey(agent.cluster_name, agent.name), type: 'agent-name', id: agent.id });

export const agentNewWrites = (record: AgentRecord): Write[] => [
  { table, put: item(record), if: { exists: false } },
  { table, put: nameItem(record), if: { exists: false }, orElse: nameTaken },
];

/** Changes name, cluster or status; fails if somebody else has changed them since `before` was read. */
export function agentUpdateWrites(before: AgentRecord, after: Agent): Write[] {
  const { name, cluster_name, status, updated_at } = after;
  const moved = revisionMove();
  const renamed = before.name !== name || before.cluster_name !== cluster_name;
  return [
    {
      table,
      update: agentKey(before.id),
      set: { name, cluster_name, status, updated_at, ...moved.set },
      copy: moved.copy,
      add: { version: 1 },
      if: { exists: true, equals: { version: before.version } },
    },
    ...(renamed
      ? [
          { table, delete: agentNameKey(before.cluster_name, before.name) },
          { table, put: nameItem(after), if: { exists: false }, orElse: nameTaken },
        ]
      : []),
  ];
}

export const agentRemoveWrites = (before: AgentRecord): Write[] => [
  { table, delete: agentKey(before.id), if: { equals: { version: before.version } } },
  { table, delete: agentNameKey(before.cluster_name, before.name) },
];

/**
 * Moves the agent's revision, so that its next poll looks again: at `stackId` alone if the change concerns no other stack. Fails if
 * there is no such agent.
 */
export const moveRevisionWrite = (
  agentId: string,
  {
    stackId,
    add,
    below,
    orElse,
  }: { stackId?: string | undefined; add?: Record<string, number>; below?: Record<string, number>; orElse?: () => Error } = {},
): Write => ({
  table,
  update: agentKey(agentId),
  ...revisionMove(stackId),
  ...(add && { add }),
  if: { exists: true, ...(below && { below }) },
  ...(orElse && { orElse }),
});
