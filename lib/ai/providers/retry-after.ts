/** A provider that asks for more than this is treated as one that says nothing. */
const LONGEST_MS = 24 * 60 * 60 * 1_000;

/**
 * The time that a provider asks to be left alone. A date is measured against the answer's own `date`, so that no clock is needed and
 * clocks that differ don't matter. Nonsense is ignored.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const exact = numberIn(headers['retry-after-ms']);
  if (exact !== undefined) return bounded(exact);
  const header = headers['retry-after'];
  const seconds = numberIn(header);
  if (seconds !== undefined) return bounded(seconds * 1_000);
  if (header === undefined || !/[a-z]{3}/i.test(header)) return undefined;
  const until = Date.parse(header);
  const now = Date.parse(headers.date ?? '');
  return Number.isNaN(until) || Number.isNaN(now) ? undefined : bounded(Math.max(0, until - now));
}

const numberIn = (text: string | undefined) => (text !== undefined && /^\s*\d{1,12}(\.\d+)?\s*$/.test(text) ? Number(text) : undefined);
const bounded = (ms: number) => (ms <= LONGEST_MS ? Math.ceil(ms) : undefined);
