import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { backoffMs } from '../../../lib/platform/backoff.ts';
import type { PersistedProgress } from '../../state/agent-state.ts';
import type { HealthWait } from '../health/health-wait.ts';

/** How far this agent has come with a stack. All of it can be lost: the next look at the cluster finds it again. */
export interface StackProgress {
  /** On disk. */
  persisted: PersistedProgress;
  inProcess: InProcess;
}

export interface InProcess {
  /** The checksum of the contents that this process saw applied, unchanged and in good health. */
  verified?: string | undefined;
  /** The deployment object that failed last, and when to try again. */
  failed?: { deploymentObjectId: string; retryAtMs: number; times: number } | undefined;
  /** Applied, and waiting to become healthy. */
  healthWait?: HealthWait | undefined;
  removal?: RemovalProgress | undefined;
  /** When to look for drift again; undefined if never. */
  checkAtMs?: number | undefined;
  /** The drift that was reported last, in words. */
  drift?: string | undefined;
  /** The resource versions seen last, by object. */
  seen: Map<string, string>;
  /** The older deployment object whose refusal was logged. */
  staleLogged?: string;
}

/** A removal takes several looks. */
export interface RemovalProgress {
  /** Since when nothing but finalizers holds it up. */
  terminatingSinceMs?: number | undefined;
  /** The final outcomes so far, by object. */
  done: ReadonlyMap<string, ObjectOutcome>;
}

const RETRY = { baseMs: 5_000, capMs: 300_000 };

/** Somebody may confirm a held deletion at any time; to look costs a list of each kind and, at most every five seconds, the agent's annotations. */
export const HELD_LOOK_MS = 15_000;

export const newProgress = (): InProcess => ({ seen: new Map() });

/** It failed, and does not only wait for finalizers or a confirmation. */
export const isFailing = ({ failed }: InProcess): boolean => failed !== undefined && failed.times > 0;

/** After `ms`, or after a while that grows with each failure of the same deployment object. */
export function scheduleRetry(
  progress: InProcess,
  deploymentObjectId: string,
  { nowMs, random, ms }: { nowMs: number; random: () => number; ms?: number | undefined },
): void {
  const times = progress.failed?.deploymentObjectId === deploymentObjectId ? progress.failed.times : 0;
  // At least half of the growing bound: a pure draw could be nothing at all.
  const bound = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(times, 20));
  const waitMs = ms ?? bound / 2 + backoffMs(times, RETRY, random) / 2;
  progress.failed = { deploymentObjectId, retryAtMs: nowMs + waitMs, times: ms === undefined ? times + 1 : times };
}
