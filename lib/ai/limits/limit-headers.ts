import type { LimitState } from './limits.ts';

/** The headers of every answer (A.5): the limit, what remains of it, and the second at which it is whole again. */
export const limitHeaders = ({ limit, remaining, resets_at_ms, unchecked }: LimitState): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(Math.ceil(resets_at_ms / 1_000)),
  ...(unchecked && { 'x-ratelimit-unchecked': 'true' }),
});

/** OpenAI's own headers, which tools read: the same numbers, with the reset as a duration. */
export function openAiLimitHeaders(
  kind: 'requests' | 'tokens',
  { limit, remaining, resets_at_ms }: LimitState,
  nowMs: number,
): Record<string, string> {
  return {
    [`x-ratelimit-limit-${kind}`]: String(limit),
    [`x-ratelimit-remaining-${kind}`]: String(remaining),
    [`x-ratelimit-reset-${kind}`]: openAiDuration(Math.max(0, resets_at_ms - nowMs)),
  };
}

/** A duration as OpenAI writes it: `120ms`, `7.66s`, `6m0s`, `1h0m0s`. */
export function openAiDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${Number(((ms % 60_000) / 1_000).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
