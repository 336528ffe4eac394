/** How many attempts took about how long: counts by classes that grow by a fifth each, so that histograms of many instances add up. */
export type LatencyHistogram = Record<number, number>;

const GROWTH = Math.log(1.2);
/** Beyond ten minutes every attempt is over. */
const MOST_MS = 600_000;

const classOf = (ms: number): number => Math.round(Math.log(Math.min(Math.max(ms, 1), MOST_MS)) / GROWTH);
/** The middle of a class, at most a tenth away from any latency in it. */
const middleOf = (index: number): number => Math.round(Math.exp(index * GROWTH));

export function addLatency(histogram: LatencyHistogram, ms: number): void {
  const index = classOf(ms);
  histogram[index] = (histogram[index] ?? 0) + 1;
}

export function mergeLatencies(into: LatencyHistogram, from: LatencyHistogram, factor = 1): void {
  for (const [index, count] of Object.entries(from)) into[Number(index)] = (into[Number(index)] ?? 0) + count * factor;
}

/** The latency that this part of the attempts did not exceed; null without attempts. */
export function latencyAt(histogram: LatencyHistogram, part: number): number | null {
  const entries = Object.entries(histogram).sort(([a], [b]) => Number(a) - Number(b));
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of entries) {
    seen += count;
    if (seen >= total * part) return middleOf(Number(index));
  }
  return null;
}
