import type { Assignment } from '../lib/fleet/protocol/agent-protocol.ts';
import { jitteredMs } from '../lib/platform/backoff.ts';
import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { type AnnouncementPorts, announceDeletions } from './announce-deletions.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { isLeaving, type StackAssignment, stackAssignment } from './control-plane/stack-assignment.ts';
import { createInventoryReader } from './inventory-reader.ts';
import type { AgentState } from './state/agent-state.ts';
import type { BodyStore } from './state/body-store.ts';

/** Asks for the assignments and gives the stacks whose assignment is new to the queue. Only an answer that is whole changes anything. */
export interface PollCycle {
  /** Without `ask` it goes by what it knows. Never rejects for what others do wrong. */
  run(how: { ask: boolean }): Promise<void>;
  /** Undefined while the agent is not ACTIVE. */
  assignmentOf(stackId: string): StackAssignment | undefined;
  /** The ids of the stacks that are to go from this agent. */
  leavingStacks(): ReadonlySet<string>;
  assigned(): readonly StackAssignment[];
}

interface PollCycleOptions extends AnnouncementPorts {
  agentId: string;
  controlPlane: ControlPlane;
  state: AgentState;
  bodies: BodyStore;
  metrics: AgentMetrics;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
  enqueue: (stackId: string) => void;
}

/** Against an ETag that stands still, the whole list is asked for so often, whatever is known. Many stacks cost the store more. */
const UNCONDITIONAL_MS = 60 * 60_000;
const UNCONDITIONAL_FEW_MS = 15 * 60_000;
const MANY_STACKS = 100;
/** Only an agent with this status changes anything. */
export const ACTIVE = 'ACTIVE';

export function createPollCycle(options: PollCycleOptions): PollCycle {
  const { agentId, controlPlane, state, inventories, guard, bodies, metrics, clock, random, log, stop, enqueue } = options;
  const readInventories = createInventoryReader(options);
  const given = new Map<string, string>();
  let unlisted = new Set<string>();
  let byStack = indexOf(state.assignments?.value.assignments);
  const nextUnconditionalMs = () =>
    clock.monotonicMs() + jitteredMs(byStack.size < MANY_STACKS ? UNCONDITIONAL_FEW_MS : UNCONDITIONAL_MS, 0.2, random);
  let unconditionalAtMs = nextUnconditionalMs();

  async function poll(): Promise<void> {
    const startedMs = clock.monotonicMs();
    const took = () => (clock.monotonicMs() - startedMs) / 1000;
    const conditional = clock.monotonicMs() < unconditionalAtMs;
    const known = state.assignments && { etag: state.assignments.etag, value: state.assignments.value };
    try {
      const answer = await controlPlane.assignments(agentId, conditional ? known : undefined, stop);
      if (!conditional) unconditionalAtMs = nextUnconditionalMs();
      metrics.poll(answer === 'unchanged' ? 'unchanged' : 'success', took(), clock.nowMs());
      if (answer === 'unchanged') return;
      const { etag, value } = answer;
      state.assignments = { value, ...(etag !== undefined && { etag }) };
      byStack = indexOf(value.assignments);
      state.keepOnly(new Set(byStack.keys()));
      state.changed();
      await bodies.keepOnly(new Set(value.assignments.map(({ checksum }) => checksum ?? '')));
    } catch (error) {
      if (stop.aborted) return;
      metrics.poll('error', took(), clock.nowMs());
      log.warn('poll_failed', { error });
    }
  }

  async function run({ ask }: { ask: boolean }): Promise<void> {
    if (ask) await poll();
    if (stop.aborted || !state.assignments) return;
    if (state.assignments.value.status !== ACTIVE) {
      log.debug('agent_is_not_active', { status: state.assignments.value.status });
      given.clear();
      return;
    }
    if (!(await readInventories())) return;
    for (const stackId of given.keys()) {
      if (byStack.has(stackId)) continue;
      given.delete(stackId);
      guard.done(stackId);
    }
    const news = [...byStack.values()].filter((assignment) => given.get(assignment.stackId) !== textOf(assignment));
    noticeUnlisted();
    guard.announcing(() => announceDeletions(options, news));
    for (const assignment of news) {
      given.set(assignment.stackId, textOf(assignment));
      enqueue(assignment.stackId);
    }
  }

  /** Absence is no order. It is worth a word each time another stack is concerned. */
  function noticeUnlisted(): void {
    const stackIds = inventories
      .all()
      .map(({ stackId }) => stackId)
      .filter((stackId) => !byStack.has(stackId));
    metrics.unlistedStacks(stackIds.length);
    if (stackIds.some((stackId) => !unlisted.has(stackId))) log.warn('stacks_not_mentioned_are_left_alone', { stack_ids: stackIds });
    unlisted = new Set(stackIds);
  }

  return {
    run,
    assignmentOf: (stackId) => (state.assignments?.value.status === ACTIVE ? byStack.get(stackId) : undefined),
    assigned: () => [...byStack.values()],
    leavingStacks: () => new Set([...byStack.values()].filter(isLeaving).map(({ stackId }) => stackId)),
  };
}

const indexOf = (assignments: readonly Assignment[] = []): Map<string, StackAssignment> =>
  new Map(assignments.map((assignment) => [assignment.stack_id, stackAssignment(assignment)]));

const textOf = ({ state, deployment, isDeletionMarker }: StackAssignment): string =>
  [state, deployment?.objectId, deployment?.sequence, deployment?.checksum, isDeletionMarker].join(' ');
