import type { CallAttempt } from '../../records/call-record.ts';

/** What one attempt says about its provider. */
export interface HealthSample {
  organization_id: string;
  provider_id: string;
  result: CallAttempt['health'];
  latency_ms: number;
  /** When the attempt ended. */
  at_ms: number;
  /** How long the provider asked to be left alone, with `rate_limited`. */
  retry_after_ms?: number | undefined;
  /** Safe to be shown to the organization. */
  error?: string | undefined;
}

/** A provider that asks for less patience than this is busy, not ill (B.11). */
const SHORT_WAIT_MS = 60_000;

/** Whether the sample says nothing about health, like a caller who left, or a limit that passes by itself. */
export const isIgnored = ({ result, retry_after_ms }: HealthSample): boolean =>
  result === 'ignored' || (result === 'rate_limited' && retry_after_ms !== undefined && retry_after_ms <= SHORT_WAIT_MS);
