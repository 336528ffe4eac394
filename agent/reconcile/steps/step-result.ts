import type { LiveObject } from '../../cluster/cluster.ts';
import type { FoughtField } from '../apply/check-result.ts';
import type { Outcome } from '../effects/outcome.ts';
import type { HealthWait } from '../health/health-wait.ts';
import type { RemovalProgress } from './stack-progress.ts';

/** The findings of a step. The reconciler alone records it, reports it and decides when the next step is due. */
export interface StepResult {
  /** To be reported. Absent if there is no news, or if the work goes on. A failure is tried again. */
  outcome?: Outcome;
  /** Since when the outcome was under way, if that was before this step. */
  startedMs?: number;
  /** The contents are in the cluster, unchanged and healthy. */
  verified?: { checkAtMs: number | undefined };
  /** Applied, but not healthy yet. */
  healthWait?: HealthWait;
  /** How long a failure that may pass by itself is waited for before it is one. */
  patienceMs?: number;
  /** What the API server asked for before the next try. */
  askedToWaitMs?: number | undefined;
  /** For what has not failed, but is not done either. */
  retryAfterMs?: number;
  removal?: RemovalProgress | undefined;
  /** How many objects had drifted and were put right: news each time. */
  corrected?: number;
  /** The fields among them that somebody changes back each time. */
  fought?: readonly FoughtField[];
  /** What has drifted and is only reported, in words; empty if nothing has. */
  drift?: string;
  /** The objects seen, by key. */
  live?: ReadonlyMap<string, LiveObject>;
}
