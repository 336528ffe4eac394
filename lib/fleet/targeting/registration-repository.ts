import * as z from 'zod';
import { type Database, queryAll, type Write } from '../../platform/database/database.ts';
import { agentPk, agentRegistrationKey, fleetTable, generatorAgentKey, generatorPk } from '../fleet-table.ts';

const table = fleetTable.name;
/** A list returns at most this many. */
const LIST_LIMIT = 10_000;

/** An agent's consent to run the stacks of a generator. */
export const Registration = z
  .object({ id: z.uuid(), agent_id: z.uuid(), generator_id: z.uuid(), registered_at: z.iso.datetime() })
  .meta({ id: 'AgentGeneratorRegistration' });
export type Registration = z.infer<typeof Registration>;

/** Writes one edge each way. */
export const registrationWrites = (registration: Registration, taken?: () => Error): Write[] => [
  {
    table,
    put: { ...agentRegistrationKey(registration.agent_id, registration.generator_id), type: 'registration', ...registration },
    if: { exists: false },
    ...(taken && { orElse: taken }),
  },
  { table, put: { ...generatorAgentKey(registration.generator_id, registration.agent_id), type: 'registered-agent', ...registration } },
];

export const registrationRemoveWrites = (agentId: string, generatorId: string): Write[] => [
  { table, delete: agentRegistrationKey(agentId, generatorId) },
  { table, delete: generatorAgentKey(generatorId, agentId) },
];

export async function findRegistration(database: Database, agentId: string, generatorId: string): Promise<Registration | undefined> {
  const item = await database.get(table, agentRegistrationKey(agentId, generatorId));
  return item && Registration.parse(item);
}

export async function listRegistrationsOfAgent(database: Database, agentId: string): Promise<Registration[]> {
  const items = await queryAll(database, table, { pk: agentPk(agentId), prefix: agentRegistrationKey('', '').sk, limit: LIST_LIMIT });
  return items.map((item) => Registration.parse(item));
}

export async function listRegistrationsWith(database: Database, generatorId: string): Promise<Registration[]> {
  const items = await queryAll(database, table, { pk: generatorPk(generatorId), prefix: generatorAgentKey('', '').sk, limit: LIST_LIMIT });
  return items.map((item) => Registration.parse(item));
}

/** Returns the given agents that are registered with the generator. */
export async function registeredAmong(database: Database, generatorId: string, agentIds: readonly string[]): Promise<Set<string>> {
  const items = await database.batchGet(
    table,
    agentIds.map((id) => generatorAgentKey(generatorId, id)),
  );
  return new Set(items.map((item) => Registration.parse(item).agent_id));
}
