import { ConditionFailed, type Database } from '../../platform/database/database.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import { stacksChangedSince } from '../agents/agent-revision.ts';
import { ACTIVE } from '../agents/agent-rules.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { Assignments } from '../protocol/agent-protocol.ts';
import type { StackHead } from '../stacks/stack.ts';
import { decide } from './decision.ts';
import { assignmentOf, findTold, isSame, readToldPage, type Told, toldWrite, withdrawnRemoveWrite } from './told.ts';
import { lookAtAll } from './whole-look.ts';

/**
 * An agent's assignments. A stack that leaves the list stays in it as `withdrawn` until the agent reports that it has removed the
 * stack: absence alone is never an order to delete. An agent that isn't ACTIVE gets the list it got before, with nothing to remove.
 *
 * The caller has read the revision before: a change that comes while this reads moves the revision, so the agent asks again.
 */
export interface AskingAgent {
  id: string;
  status: string;
  revision: string;
  [field: string]: unknown;
}

export interface AssignmentsRequest {
  /** The revision whose answer the agent holds: if it is known what changed since, only these stacks are looked at and returned. */
  since?: string | undefined;
  /** Go on with the list after this stack. */
  after?: string | undefined;
}

/** About 1.4 MB of JSON: an answer of Lambda's is at most 6 MB, and no answer should hold up others for long. */
export const ASSIGNMENTS_PAGE = 5_000;
/** So many differences are written in one request; the next poll goes on. */
const WRITES_MAX = 5_000;
const WRITES_AT_ONCE = 50;
const ATTEMPTS = 5;

/** The agent's own question. It is remembered what the agent is told here, before it is told. */
export async function takeAssignments(ports: FleetPorts, agent: AskingAgent, { since, after }: AssignmentsRequest): Promise<Assignments> {
  const { database } = ports;
  if (after !== undefined || agent.status !== ACTIVE) return toldBefore(database, agent, after);
  const named = since === undefined ? undefined : stacksChangedSince(agent, since);
  if (named) {
    const before = await findTold(database, agent.id, named);
    const { told, complete } = await tell(database, agent.id, before, await decide(database, agent.id, before));
    const [listed, unlisted] = [entriesOf(told), named.filter((stackId) => !told.get(stackId))];
    return { ...headerOf(agent, complete), since, assignments: listed.map(([id, one]) => assignmentOf(id, one)), unlisted };
  }
  const look = await lookAtAll(database, agent.id);
  if (look.truncated) ports.log.error('agent_has_too_many_stacks', { agent_id: agent.id, effect: 'no stack is withdrawn from it' });
  const { told, complete } = await tell(database, agent.id, look.before, look.next);
  return pageOf(agent, entriesOf(told), { complete: complete && look.complete });
}

/** The same answer for somebody else, which is not remembered as told. */
export async function previewAssignments({ database }: FleetPorts, agent: AskingAgent, after?: string): Promise<Assignments> {
  if (agent.status !== ACTIVE) return toldBefore(database, agent, after);
  const { next, complete } = await lookAtAll(database, agent.id);
  return pageOf(agent, entriesOf(next), { complete, after });
}

/**
 * The heads of all stacks that the agent should run, for an answer whose gaps its reader takes for orders to delete: a stack is missing
 * only after a serializable read, which needs to be remembered as told for that. Undefined if not everything could be said at once.
 */
export async function assignedHeads(
  { database }: FleetPorts,
  agent: { id: string; status?: string },
  { own }: { own: boolean },
): Promise<Map<string, StackHead> | undefined> {
  const look = await lookAtAll(database, agent.id);
  const remembered = own && agent.status === ACTIVE;
  const { told, complete } = remembered ? await tell(database, agent.id, look.before, look.next) : { told: look.next, complete: true };
  if (!complete || !look.complete || look.truncated) return undefined;
  return new Map(entriesOf(told).flatMap(([id, { state, head }]) => (state === 'assigned' ? [[id, head] as const] : [])));
}

/**
 * The agent has removed what it ran of a stack that was withdrawn from it. A late report on an earlier object says nothing about what
 * the agent was told since. The revision moves afterwards, so that the poll it causes finds the item gone.
 */
export async function confirmRemoval({ database }: FleetPorts, agentId: string, removed: { id: string; stack_id: string }): Promise<void> {
  try {
    await database.write(withdrawnRemoveWrite(agentId, removed));
    await database.write(moveRevisionWrite(agentId, { stackId: removed.stack_id }));
  } catch (error) {
    // The stack was not withdrawn, or the agent is gone.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

/** Stores the differences, and returns the outcome. A stack that another poll of the agent told first is decided on once more. */
async function tell(
  database: Database,
  agentId: string,
  before: ReadonlyMap<string, Told | undefined>,
  next: ReadonlyMap<string, Told | undefined>,
): Promise<{ told: Map<string, Told | undefined>; complete: boolean }> {
  const told = new Map(next);
  let known = before;
  let differing = [...next.keys()].filter((stackId) => !isSame(before.get(stackId), next.get(stackId)));
  const postponed = differing.splice(WRITES_MAX);
  for (let attempt = 0; differing.length > 0 && attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) {
      known = await findTold(database, agentId, differing);
      for (const [stackId, decided] of await decide(database, agentId, known)) told.set(stackId, decided);
    }
    differing = await storeTold(database, agentId, differing, known, told);
  }
  const unwritten = [...postponed, ...differing];
  for (const stackId of unwritten) told.set(stackId, before.get(stackId));
  return { told, complete: unwritten.length === 0 };
}

/** Returns the stacks that another poll has told the agent about meanwhile. */
async function storeTold(
  database: Database,
  agentId: string,
  stackIds: readonly string[],
  known: ReadonlyMap<string, Told | undefined>,
  next: ReadonlyMap<string, Told | undefined>,
): Promise<string[]> {
  const overtaken: string[] = [];
  const store = async (stackId: string) => {
    const [before, told] = [known.get(stackId), next.get(stackId)];
    if (!told || isSame(before, told)) return;
    try {
      await database.write(toldWrite(agentId, stackId, before, told));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      overtaken.push(stackId);
    }
  };
  for (let from = 0; from < stackIds.length; from += WRITES_AT_ONCE)
    await Promise.all(stackIds.slice(from, from + WRITES_AT_ONCE).map(store));
  return overtaken;
}

async function toldBefore(database: Database, agent: AskingAgent, after: string | undefined): Promise<Assignments> {
  const page = await readToldPage(database, agent.id, ASSIGNMENTS_PAGE + 1, after);
  const answer = pageOf(agent, [...page], { complete: true });
  if (agent.status === ACTIVE) return answer;
  return { ...answer, assignments: answer.assignments.filter(({ state }) => state === 'assigned') };
}

type Entries = readonly (readonly [string, Told])[];

const entriesOf = (told: ReadonlyMap<string, Told | undefined>): [string, Told][] =>
  [...told].flatMap(([id, one]): [string, Told][] => (one ? [[id, one]] : [])).sort(([a], [b]) => (a < b ? -1 : 1));

/** An answer that leaves something for the next poll has a revision that is never the current one. */
const headerOf = ({ id, status, revision }: AskingAgent, complete: boolean) => ({
  agent_id: id,
  status,
  revision: complete ? revision : `${revision}~`,
});

function pageOf(
  agent: AskingAgent,
  entries: Entries,
  { complete, after = '' }: { complete: boolean; after?: string | undefined },
): Assignments {
  const rest = entries.filter(([id]) => id > after);
  const page = rest.slice(0, ASSIGNMENTS_PAGE);
  const next = rest.length > page.length ? page.at(-1)?.[0] : undefined;
  return { ...headerOf(agent, complete), assignments: page.map(([id, told]) => assignmentOf(id, told)), ...(next && { next }) };
}
