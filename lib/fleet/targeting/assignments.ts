import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { ConditionFailed, type Database, type Item } from '../../platform/database/database.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import { ACTIVE } from '../agents/agent-rules.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { fleetTable, snapshotKey } from '../fleet-table.ts';
import { Assignment, type Assignments } from '../protocol/agent-protocol.ts';
import type { StackHead } from '../stacks/stack.ts';
import { matchStacks } from './matching.ts';

/**
 * What one agent should run, and what it was told last. What leaves the list stays in it as `withdrawn` until the agent reports
 * that it has removed it: absence alone is never an order to delete.
 *
 * The snapshot is one item, gzipped: about 90 bytes a stack, so that the 5,000 stacks an agent can have fit into DynamoDB's 400 KB.
 */
const table = fleetTable.name;
const ATTEMPTS = 5;

interface Snapshot {
  version: number;
  assignments: Assignment[];
}
const NOTHING: Snapshot = { version: 0, assignments: [] };

async function readSnapshot(database: Database, agentId: string): Promise<Snapshot> {
  const item = await database.get(table, snapshotKey(agentId));
  if (!item) return NOTHING;
  const { version, body } = z.object({ version: z.int(), body: z.instanceof(Uint8Array) }).parse(item);
  return { version, assignments: z.array(Assignment).parse(JSON.parse(gunzipSync(body).toString())) };
}

const writeOf = (agentId: string, before: Snapshot, assignments: readonly Assignment[]) => ({
  table,
  put: { ...snapshotKey(agentId), type: 'snapshot', version: before.version + 1, body: gzipSync(JSON.stringify(assignments)) } as Item,
  if: before.version === 0 ? { exists: false } : { equals: { version: before.version } },
});

export function assignmentOf(stackId: string, head: StackHead | undefined): Assignment | undefined {
  if (!head) return undefined;
  return {
    stack_id: stackId,
    state: 'assigned',
    deployment_object_id: head.object_id,
    sequence_id: head.sequence,
    checksum: head.checksum,
    is_deletion_marker: head.is_deletion_marker,
  };
}

/** Pure: what an agent is told now, given what it was told before and what it should run. By stack id. */
export function nextAssignments(before: readonly Assignment[], desired: readonly Assignment[]): Assignment[] {
  const wanted = new Set(desired.map((assignment) => assignment.stack_id));
  const withdrawn = before
    .filter((assignment) => !wanted.has(assignment.stack_id))
    .map((assignment) => ({ ...assignment, state: 'withdrawn' as const }));
  return [...desired, ...withdrawn].sort((a, b) => (a.stack_id < b.stack_id ? -1 : 1));
}

/**
 * The agent's assignments as of `revision`, which the caller read before calling: a change that comes while this reads moves the
 * revision, so the agent will ask again. An agent that isn't ACTIVE is told what it was told, without anything to remove. What others
 * look at (not `told`) is not remembered as told.
 */
export async function assignmentsOf(
  { database }: FleetPorts,
  agent: { id: string; status: string; revision: string },
  { told }: { told: boolean },
): Promise<Assignments> {
  const { id, status, revision } = agent;
  const answer = (assignments: Assignment[]): Assignments => ({ agent_id: id, status, revision, assignments });
  for (let attempt = 0; ; attempt++) {
    const before = await readSnapshot(database, id);
    if (status !== ACTIVE) return answer(before.assignments.filter((assignment) => assignment.state === 'assigned'));
    const { heads } = await matchStacks(database, id);
    const next = nextAssignments(
      before.assignments,
      [...heads].flatMap(([stackId, head]) => assignmentOf(stackId, head) ?? []),
    );
    if (!told || JSON.stringify(next) === JSON.stringify(before.assignments)) return answer(next);
    try {
      await database.write(writeOf(id, before, next));
      return answer(next);
    } catch (error) {
      // Another request of the same agent wrote first: look again.
      if (!(error instanceof ConditionFailed) || attempt + 1 >= ATTEMPTS) throw error;
    }
  }
}

/**
 * The agent has removed what it ran of a stack that was withdrawn from it: the entry has served. A late word on an earlier object says
 * nothing of what the agent was given since.
 */
export async function confirmRemoval({ database }: FleetPorts, agentId: string, removed: { id: string; stack_id: string }): Promise<void> {
  const confirmed = ({ stack_id, state, deployment_object_id }: Assignment) =>
    stack_id === removed.stack_id && state === 'withdrawn' && deployment_object_id === removed.id;
  for (let attempt = 0; ; attempt++) {
    const before = await readSnapshot(database, agentId);
    const after = before.assignments.filter((assignment) => !confirmed(assignment));
    if (after.length === before.assignments.length) return;
    try {
      await database.transact([writeOf(agentId, before, after), moveRevisionWrite(agentId, { stackId: removed.stack_id })]);
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt + 1 >= ATTEMPTS) throw error;
    }
  }
}
