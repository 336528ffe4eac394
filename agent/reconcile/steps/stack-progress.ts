import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { backoffMs } from '../../../lib/platform/backoff.ts';
import type { StackAssignment } from '../../control-plane/stack-assignment.ts';
import type { PersistedProgress } from '../../state/agent-state.ts';
import type { Fights } from '../apply/fights.ts';
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
  /** The order that failed last, and when to try again. */
  failed?: { order: string; retryAtMs: number; times: number; passing?: boolean } | undefined;
  /** Since when nothing but what may pass by itself stands against an order: it is no failure before its time is over. */
  passing?: { order: string; sinceMs: number } | undefined;
  /** Applied, and waiting to become healthy. */
  healthWait?: HealthWait | undefined;
  removal?: RemovalProgress | undefined;
  /** When to look for drift again; undefined if never. */
  checkAtMs?: number | undefined;
  /** The drift that was reported last, in words. */
  drift?: string | undefined;
  /** The resource versions seen last, by object. */
  seen: Map<string, string>;
  /** What somebody changes back whenever it was corrected. */
  fights: Fights;
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
/** For what may pass by itself, while it has time. */
const RETRY_SOON = { baseMs: 1_000, capMs: 30_000 };

/** Somebody may confirm a held deletion at any time; to look costs a list of each kind and, at most every five seconds, the agent's annotations. */
export const HELD_LOOK_MS = 15_000;

/** What is wanted of a stack: to have one deployment object, or to leave. A new order is tried at once, whatever became of the one before. */
export const orderOf = ({ deployment, state }: StackAssignment): string => `${state} ${deployment?.objectId ?? ''}`;

export const newProgress = (): InProcess => ({ seen: new Map(), fights: new Map() });

/** It failed, and does not only wait for finalizers or a confirmation. */
export const isFailing = ({ failed }: InProcess): boolean => failed !== undefined && failed.times > 0;

interface Retry {
  nowMs: number;
  random: () => number;
  ms?: number | undefined;
  /** It may still pass by itself, for so long. */
  passingMs?: number | undefined;
  /** What the API server asked for. */
  atLeastMs?: number | undefined;
}

/** After `ms`, or after a while that grows with each failure of the same order. */
export function scheduleRetry(progress: InProcess, order: string, { nowMs, random, ms, passingMs, atLeastMs = 0 }: Retry): void {
  const { failed } = progress;
  const passing = passingMs !== undefined;
  // What was tried while it could still pass is no failure, so that the pauses begin anew.
  const times = failed?.order === order && (failed.passing ?? false) === passing ? failed.times : 0;
  const pace = passing ? RETRY_SOON : RETRY;
  // At least half of the growing bound: a pure draw could be nothing at all.
  const bound = Math.min(pace.capMs, pace.baseMs * 2 ** Math.min(times, 20));
  const pauseMs = Math.max(atLeastMs, bound / 2 + backoffMs(times, pace, random) / 2);
  const waitMs = ms ?? Math.min(pauseMs, passingMs ?? pauseMs);
  progress.failed = { order, retryAtMs: nowMs + waitMs, times: ms === undefined ? times + 1 : times, passing };
}

/** The time that is left for what may pass by itself; undefined if it is over. It begins when that is met first. */
export function timeToPass(
  progress: InProcess,
  order: string,
  { nowMs, withinMs }: { nowMs: number; withinMs: number },
): number | undefined {
  if (progress.passing?.order !== order) progress.passing = { order, sinceMs: nowMs };
  const leftMs = progress.passing.sinceMs + withinMs - nowMs;
  return leftMs > 0 ? leftMs : undefined;
}
