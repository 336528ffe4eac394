import { backoffMs } from '../../platform/backoff.ts';
import { ConditionFailed, type Database, type Write } from '../../platform/database/database.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import { stacksChangedSince } from '../agents/agent-revision.ts';
import { ACTIVE } from '../agents/agent-rules.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { Assignments } from '../protocol/agent-protocol.ts';
import type { StackHead } from '../stacks/stack.ts';
import { decideOnStacks } from './decision.ts';
import { assignmentOf, findTold, isSame, readToldPage, type Told, toldWrite, withdrawnRemoveWrite } from './told.ts';
import { lookAtAll } from './whole-look.ts';

/**
 * The answers to polls for assignments. A stack that the agent loses stays in the list as `withdrawn` until the agent reports that it has
 * removed the stack: absence alone is never an order to delete. An agent that isn't ACTIVE gets the same list as before, without
 * withdrawals.
 *
 * Callers read the revision first. A change during the other reads then moves the revision, so the agent asks again.
 */
export interface AskingAgent {
  id: string;
  status: string;
  revision: string;
  [field: string]: unknown;
}

export interface AssignmentsRequest {
  /** The agent's revision. If the changes since then are known, only their stacks are read and returned. */
  since?: string | undefined;
  /** The answer continues the list after this stack. */
  after?: string | undefined;
}

/** This is about 1.4 MB of JSON. Lambda allows 6 MB, and no answer should delay others for long. */
export const ASSIGNMENTS_PAGE = 5_000;
/** One request writes at most this many differences; the next poll writes the rest. */
const WRITES_MAX = 5_000;
const WRITES_AT_ONCE = 50;
const ATTEMPTS = 5;
const BACKOFF = { baseMs: 10, capMs: 200 };

/** Answers the agent's own poll. The told items are stored before the agent gets the answer. */
export async function takeAssignments(ports: FleetPorts, agent: AskingAgent, { since, after }: AssignmentsRequest): Promise<Assignments> {
  const { database } = ports;
  if (after !== undefined || agent.status !== ACTIVE) return toldBefore(database, agent, after);
  const named = since === undefined ? undefined : stacksChangedSince(agent, since);
  if (named) {
    const before = await findTold(database, agent.id, named);
    const { told, complete } = await storeDifferences(ports, agent.id, before, await decideOnStacks(database, agent.id, before));
    const [listed, unlisted] = [entriesOf(told), named.filter((stackId) => !told.get(stackId))];
    return { ...headerOf(agent, complete), since, assignments: listed.map(([id, one]) => assignmentOf(id, one)), unlisted };
  }
  const look = await lookAtAll(database, agent.id);
  if (look.truncated) ports.log.error('agent_has_too_many_stacks', { agent_id: agent.id, effect: 'no stack is withdrawn from it' });
  const { told, complete } = await storeDifferences(ports, agent.id, look.before, look.next);
  return pageOf(agent, entriesOf(told), { complete: complete && look.complete });
}

/** Returns the same answer for other callers. Only the agent's own GET updates its told items. */
export async function previewAssignments({ database }: FleetPorts, agent: AskingAgent, after?: string): Promise<Assignments> {
  if (agent.status !== ACTIVE) return toldBefore(database, agent, after);
  const { next, complete } = await lookAtAll(database, agent.id);
  return pageOf(agent, entriesOf(next), { complete, after });
}

/**
 * Returns the heads of all stacks that the agent should run, for a target state. Its reader may delete every stack that is missing, so a
 * stack is missing only after a serializable read, and the told items are stored for that. Undefined if one answer can't be complete.
 */
export async function assignedHeads(
  ports: FleetPorts,
  agent: { id: string; status?: string },
  { own }: { own: boolean },
): Promise<Map<string, StackHead> | undefined> {
  const look = await lookAtAll(ports.database, agent.id);
  const remembered = own && agent.status === ACTIVE;
  const { told, complete } = remembered
    ? await storeDifferences(ports, agent.id, look.before, look.next)
    : { told: look.next, complete: true };
  if (!complete || !look.complete || look.truncated) return undefined;
  return new Map(entriesOf(told).flatMap(([id, { state, head }]) => (state === 'assigned' ? [[id, head] as const] : [])));
}

/**
 * Ends the withdrawal of a stack that the agent has removed. A late report on an earlier deployment object ends nothing that the agent was
 * told since. The revision moves afterwards, so that the next poll finds the told item gone.
 */
export async function confirmRemoval({ database }: FleetPorts, agentId: string, removed: { id: string; stack_id: string }): Promise<void> {
  const { stack_id: stackId } = removed;
  const ended = await writeIfTrue(database, withdrawnRemoveWrite(agentId, removed));
  // The process that handled an earlier report may have ended before it moved the revision.
  if (!ended && (await findTold(database, agentId, [stackId])).get(stackId)) return;
  await writeIfTrue(database, moveRevisionWrite(agentId, { stackId }));
}

/** Returns false if the write's condition does not hold. */
async function writeIfTrue(database: Database, write: Write): Promise<boolean> {
  try {
    await database.write(write);
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return false;
  }
}

/** Stores the differences and returns the told items. A stack that another poll of the agent has stored first is decided on once more. */
async function storeDifferences(
  { database, clock }: Pick<FleetPorts, 'database' | 'clock'>,
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
      await clock.sleep(backoffMs(attempt, BACKOFF));
      known = await findTold(database, agentId, differing);
      for (const [stackId, decided] of await decideOnStacks(database, agentId, known)) told.set(stackId, decided);
    }
    differing = await storeTold(database, agentId, differing, known, told);
  }
  const unwritten = [...postponed, ...differing];
  for (const stackId of unwritten) told.set(stackId, before.get(stackId));
  return { told, complete: unwritten.length === 0 };
}

/** Returns the stacks whose told item another poll has changed meanwhile. */
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

/** An incomplete answer has a revision that is never current, so that the next poll continues. */
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
