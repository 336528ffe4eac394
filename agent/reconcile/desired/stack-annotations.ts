import type { Clock } from '../../../lib/platform/clock.ts';
import type { Log } from '../../../lib/platform/log.ts';
import { type ControlPlane, ControlPlaneError } from '../../control-plane/control-plane.ts';
import type { Assigned } from '../../control-plane/stack-assignment.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { STACK_ANNOTATIONS } from './ownership.ts';

/** The annotations of a stack in the control plane that say how this agent should treat it. */
export interface StackAnnotations {
  /**
   * Read for each new deployment object, for the same one once an hour, and when `fresh` asks for it. If they can't be read now, they are as they
   * were known last.
   */
  of(assignment: Assigned, options?: { fresh?: boolean }): Promise<Readonly<Record<string, string>>>;
  /** Whether they have been asked for, and answered, for this very deployment object. */
  areKnown(assignment: Assigned): boolean;
}

interface StackAnnotationsOptions {
  controlPlane: ControlPlane;
  state: AgentState;
  clock: Clock;
  log: Log;
  stop: AbortSignal;
}

const ASK_AGAIN_MS = 3_600_000;
/** After an outage, do not ask for five minutes: each try delays an apply. */
const DARK_MS = 300_000;

export function createStackAnnotations({ controlPlane, state, clock, log, stop }: StackAnnotationsOptions): StackAnnotations {
  const asked = new Map<string, { objectId: string; atMs: number }>();
  const readFor = new Map<string, string>();
  let darkUntilMs = Number.NEGATIVE_INFINITY;

  const isDue = ({ stackId, deployment }: Assigned, nowMs: number, fresh: boolean): boolean => {
    const last = asked.get(stackId);
    return nowMs >= darkUntilMs && (fresh || last?.objectId !== deployment.objectId || nowMs - last.atMs >= ASK_AGAIN_MS);
  };

  async function ask({ stackId, deployment: { objectId } }: Assigned): Promise<void> {
    try {
      const read = (await controlPlane.stackAnnotations(stackId, stop)).filter(({ key }) => STACK_ANNOTATIONS.has(key));
      state.stack(stackId).annotations = Object.fromEntries(read.map(({ key, value }) => [key, value]));
      state.changed();
      readFor.set(stackId, objectId);
    } catch (error) {
      if (!(error instanceof ControlPlaneError)) throw error;
      log.warn('stack_annotations_not_read', { stack_id: stackId, error });
      // An answer that refuses them is one: there is nothing to follow.
      if (error.fault !== 'unreachable') return void readFor.set(stackId, objectId);
      darkUntilMs = clock.monotonicMs() + DARK_MS;
      asked.delete(stackId);
    }
  }

  return {
    async of(assignment, { fresh = false } = {}) {
      const { stackId, deployment } = assignment;
      const nowMs = clock.monotonicMs();
      if (isDue(assignment, nowMs, fresh)) {
        asked.set(stackId, { objectId: deployment.objectId, atMs: nowMs });
        await ask(assignment);
      }
      return state.stack(stackId).annotations ?? {};
    },
    areKnown: ({ stackId, deployment }) => readFor.get(stackId) === deployment.objectId,
  };
}
