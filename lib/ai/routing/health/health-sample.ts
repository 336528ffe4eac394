import type { CallAttempt } from '../../records/call-record.ts';

/** What one attempt says about its provider. */
export interface HealthSample {
  organization_id: string;
  provider_id: string;
  result: CallAttempt['health'];
  /** How long the caller waited: up to the first content of a stream, or for a whole answer. */
  latency_ms: number;
  /** When the attempt began. */
  begun_ms: number;
  /** When the attempt ended. */
  at_ms: number;
  /** Safe to be shown to the organization. */
  error?: string | undefined;
}
