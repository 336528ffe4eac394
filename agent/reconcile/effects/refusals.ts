import { ClusterError } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';

const BY_ADMISSION = /\badmission webhook\b.*\bdenied the request\b|AdmissionPolicy\b.*\bdenied request\b/s;
const MAY_LACK_SOMETHING = new Set([403, 404]);

/** A call that failed for one object. */
export interface Refusal {
  object: Desired;
  error: Error;
}

/**
 * Whether other objects may have the API server decide otherwise: quotas, limits, policies, classes and rights answer with 403, what is missing
 * with 404; webhooks and policies choose their status themselves. What doesn't fit its schema or breaks a rule of its kind stays wrong.
 */
export const dependsOnOthers = (error: Error): boolean =>
  error instanceof ClusterError && (error.status >= 500 || MAY_LACK_SOMETHING.has(error.status) || BY_ADMISSION.test(error.message));

/** Whether all of them may pass without anybody's doing. */
export const mayPass = (refusals: readonly Refusal[]): boolean =>
  refusals.every(({ error }) => error instanceof ClusterError && error.retryable);
