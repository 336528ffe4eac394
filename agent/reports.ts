import { createHash } from 'node:crypto';
import { EVENT_TYPES, type NewAgentEvent } from '../lib/fleet/protocol/agent-protocol.ts';
import { backoffMs } from '../lib/platform/backoff.ts';
import type { Clock } from '../lib/platform/clock.ts';
import { newId } from '../lib/platform/ids.ts';
import type { Log } from '../lib/platform/log.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane/control-plane.ts';
import { inParallel } from './in-parallel.ts';
import { type Outcome, outcomeDetails, outcomeMessage } from './reconcile/effects/outcome.ts';
import type { AgentState, PendingEvent } from './state/agent-state.ts';

/** Tells the control plane how stacks fare: each news once, kept until it is delivered. Of each stack these are the latest and its last corrections. */
export interface Reports {
  /** Equal news to what was last delivered or is waiting is no news. Delivery goes on by itself. */
  submit(news: News): void;
  /** Tries again what was not delivered, unless its wait is not over. */
  flush(): void;
  settled(): Promise<void>;
}

export interface News {
  stackId: string;
  deploymentObjectId: string;
  type: keyof typeof EVENT_TYPES;
  outcome: Outcome;
  durationMs: number;
  /** Said even though it reads like the last, and kept though there is newer news: each correction of drift is an event. */
  again?: boolean;
}

interface ReportsOptions {
  controlPlane: ControlPlane;
  state: AgentState;
  agentId: string;
  clock: Clock;
  random: () => number;
  log: Log;
  stop: AbortSignal;
}

const AT_ONCE = 4;
const PENDING_MAX = 5_000;
/** So many undelivered corrections of a stack are kept. */
const CORRECTIONS_MAX = 10;
const BACKOFF = { baseMs: 2_000, capMs: 60_000 };

export function createReports({ controlPlane, state, agentId, clock, random, log, stop }: ReportsOptions): Reports {
  let delivering: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = 0;

  async function deliver(): Promise<void> {
    while (state.pending.length > 0 && !stop.aborted) {
      const byStack = Map.groupBy(state.pending, ({ stack_id }) => stack_id);
      const results = await inParallel([...byStack.values()], AT_ONCE, deliverInOrder);
      if (results.includes('later')) {
        notBeforeMs = clock.monotonicMs() + backoffMs(failures, BACKOFF, random);
        failures += 1;
        state.changed();
        return;
      }
      failures = 0;
    }
  }

  /** What is said last about a stack has to arrive last. */
  async function deliverInOrder(items: readonly PendingEvent[]): Promise<'settled' | 'later'> {
    for (const item of items) if ((await deliverOne(item)) === 'later') return 'later';
    return 'settled';
  }

  async function deliverOne(item: PendingEvent): Promise<'settled' | 'later'> {
    const { stack_id, event } = item;
    try {
      await controlPlane.report(agentId, event, stop);
      log.info('reported', {
        stack_id,
        event_type: event.event_type,
        status: event.status,
        deployment_object_id: event.deployment_object_id,
      });
    } catch (error) {
      if (!isHopeless(error)) {
        log.warn('report_not_delivered', { stack_id, error });
        return 'later';
      }
      // The control plane knows this object no more, or finds the event wrong: saying it again would not help.
      log.warn('report_refused', { stack_id, error });
    }
    // Newer news may have taken its place meanwhile.
    state.pending = state.pending.filter((pending) => pending !== item);
    state.changed();
    return 'settled';
  }

  function flush(): void {
    if (delivering || state.pending.length === 0 || clock.monotonicMs() < notBeforeMs) return;
    delivering = deliver()
      .catch((error) => log.error('reports_failed_unexpectedly', { error }))
      .finally(() => {
        delivering = undefined;
      });
  }

  return {
    submit({ stackId, deploymentObjectId, type, outcome, durationMs, again }) {
      const event: NewAgentEvent = {
        agent_id: agentId,
        deployment_object_id: deploymentObjectId,
        event_type: EVENT_TYPES[type],
        status: outcome.status,
        message: outcomeMessage(outcome),
        details: { ...outcomeDetails(stackId, outcome, durationMs), ...(again && { report_id: newId() }) },
      };
      const digest = digestOf(event);
      const record = state.stack(stackId);
      if (record.reported?.digest === digest && !again) return;
      const { deployment_object_id, event_type, status } = event;
      record.reported = { deployment_object_id, event_type, status, digest };
      const others = state.pending.filter(({ stack_id }) => stack_id !== stackId);
      const corrections = state.pending.filter((item) => item.stack_id === stackId && item.event.details?.report_id !== undefined);
      const pending = [...others, ...corrections.slice(-CORRECTIONS_MAX), { stack_id: stackId, event }];
      // A report that is dropped has to be made again.
      for (const { stack_id } of pending.slice(0, -PENDING_MAX)) delete state.stack(stack_id).reported;
      state.pending = pending.slice(-PENDING_MAX);
      state.changed();
      flush();
    },
    flush,
    async settled() {
      while (delivering) await delivering;
    },
  };
}

function isHopeless(error: unknown): boolean {
  return error instanceof ControlPlaneError && error.fault === 'refused' && ![401, 403, 408, 429].includes(error.status);
}

const digestOf = ({ deployment_object_id, event_type, status, message }: NewAgentEvent): string =>
  createHash('sha256')
    .update([deployment_object_id, event_type, status, status === 'SUCCESS' ? '' : message].join('\n'))
    .digest('hex')
    .slice(0, 16);
