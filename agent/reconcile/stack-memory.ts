import type { ObjectOutcome } from '../../lib/fleet/protocol/agent-protocol.ts';
import { backoffMs } from '../../lib/platform/backoff.ts';
import type { HealthWait } from './health/health-wait.ts';

/** What this process remembers of its work on one stack. All of it can be lost: the next look finds it again. */
export interface StackNotes {
  /** The contents seen applied, unchanged and in good health. */
  verified?: string | undefined;
  failed?: { deploymentObjectId: string; retryAtMs: number; times: number } | undefined;
  healthWait?: HealthWait | undefined;
  /** Since when nothing but finalizers holds up its removal. */
  terminatingSinceMs?: number | undefined;
  /** What its removal has done so far, by object. */
  removed?: Map<string, ObjectOutcome> | undefined;
  checkAtMs?: number | undefined;
  /** resourceVersions seen last, by object. */
  seen: Map<string, string>;
  /** The older object whose refusal was logged. */
  staleTold?: string;
}

const RETRY = { baseMs: 5_000, capMs: 300_000 };

/** Somebody may confirm a held deletion at any time; to look costs a list of each kind and, at most every five seconds, the agent's annotations. */
export const HELD_LOOK_MS = 15_000;

export const newNotes = (): StackNotes => ({ seen: new Map() });

/** It failed, and not only has to wait for finalizers or a confirmation. */
export const isFailing = ({ failed }: StackNotes): boolean => failed !== undefined && failed.times > 0;

/** Later: after `ms`, or after a while that grows with each failure of the same object. */
export function setBack(notes: StackNotes, deploymentObjectId: string, nowMs: number, random: () => number, ms?: number): void {
  const times = notes.failed?.deploymentObjectId === deploymentObjectId ? notes.failed.times : 0;
  // At least half of the growing bound: a pure draw could be nothing at all.
  const bound = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(times, 20));
  const waitMs = ms ?? bound / 2 + backoffMs(times, RETRY, random) / 2;
  notes.failed = { deploymentObjectId, retryAtMs: nowMs + waitMs, times: ms === undefined ? times + 1 : times };
  notes.verified = undefined;
}
