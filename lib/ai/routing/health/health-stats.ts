import type { HealthSample } from './health-sample.ts';
import { addLatency, type LatencyHistogram, latencyAt, mergeLatencies } from './latency-histogram.ts';

export const BUCKET_MS = 10_000;
export const WINDOW_MS = 300_000;
const HOUR_MS = 3_600_000;
const HOURS = 24;
const HALF_LIFE_MS = 60_000;

/** The attempts of a span of time. Latencies are those of answered attempts. */
export interface Counts {
  n: number;
  failures: number;
  rate_limited: number;
  latency_sum_ms: number;
  latencies: LatencyHistogram;
}

/** Attempts by the begin of their ten seconds, of the last five minutes, and by the begin of their hour, of the last day. */
export interface HealthStats {
  buckets: Map<number, Counts>;
  hours: Map<number, Counts>;
}

export const noCounts = (): Counts => ({ n: 0, failures: 0, rate_limited: 0, latency_sum_ms: 0, latencies: {} });
export const noStats = (): HealthStats => ({ buckets: new Map(), hours: new Map() });

const countsAt = (counts: Map<number, Counts>, start: number): Counts => {
  const known = counts.get(start) ?? noCounts();
  counts.set(start, known);
  return known;
};

/** Counts a sample that isn't ignored. */
export function countSample(stats: HealthStats, { result, latency_ms, at_ms }: HealthSample): void {
  for (const counts of [countsAt(stats.buckets, startOf(at_ms, BUCKET_MS)), countsAt(stats.hours, startOf(at_ms, HOUR_MS))]) {
    counts.n++;
    if (result === 'rate_limited') counts.rate_limited++;
    else if (result !== 'success') counts.failures++;
    if (result !== 'success') continue;
    counts.latency_sum_ms += latency_ms;
    addLatency(counts.latencies, latency_ms);
  }
}

/** Adds the counts of one instance to those of all. What is too old is dropped. */
export function mergeStats(into: HealthStats, from: HealthStats, nowMs: number): void {
  for (const name of ['buckets', 'hours'] as const) {
    for (const [start, counts] of from[name]) addCounts(countsAt(into[name], start), counts);
  }
  dropOld(into, nowMs);
}

export function dropOld({ buckets, hours }: HealthStats, nowMs: number): void {
  for (const start of buckets.keys()) if (start + BUCKET_MS <= nowMs - WINDOW_MS) buckets.delete(start);
  for (const start of hours.keys()) if (start + HOUR_MS <= nowMs - HOURS * HOUR_MS) hours.delete(start);
}

function addCounts(into: Counts, from: Counts): void {
  into.n += from.n;
  into.failures += from.failures;
  into.rate_limited += from.rate_limited;
  into.latency_sum_ms += from.latency_sum_ms;
  mergeLatencies(into.latencies, from.latencies);
}

const startOf = (ms: number, span: number): number => Math.floor(ms / span) * span;
const sumOf = (all: Iterable<Counts>): Counts => {
  const sum = noCounts();
  for (const counts of all) addCounts(sum, counts);
  return sum;
};

const isInWindow = (start: number, nowMs: number): boolean => start + BUCKET_MS > nowMs - WINDOW_MS;

/** The attempts of the last five minutes. */
export const windowCounts = ({ buckets }: HealthStats, nowMs: number): Counts =>
  sumOf([...buckets].filter(([start]) => isInWindow(start, nowMs)).map(([, counts]) => counts));

/** How many attempts of the window began after this time, and how many of them failed. */
export function countsSince({ buckets }: HealthStats, nowMs: number, sinceMs: number): { n: number; failures: number } {
  const sum = { n: 0, failures: 0 };
  for (const [start, counts] of buckets) {
    if (start < sinceMs || !isInWindow(start, nowMs)) continue;
    sum.n += counts.n;
    sum.failures += counts.failures;
  }
  return sum;
}

export const dayCounts = ({ hours }: HealthStats): Counts => sumOf(hours.values());

/** The middle latency of the window, in which an attempt counts half as much after each minute. */
export function recentMedian({ buckets }: HealthStats, nowMs: number): number | null {
  const weighted: LatencyHistogram = {};
  for (const [start, { latencies }] of buckets) {
    mergeLatencies(weighted, latencies, 0.5 ** (Math.max(0, nowMs - start) / HALF_LIFE_MS));
  }
  return latencyAt(weighted, 0.5);
}

/** Fewer attempts than this are mixed with as many imagined good ones. */
const PRIOR = 5;
/** A provider is slow if it needs this much longer than it did in the middle over the day. */
const SLOWER = 1.25;

/** The score of A.6, from 0 to 1 with two decimals. */
export function healthScore(stats: HealthStats, nowMs: number): number {
  const { n, failures, rate_limited } = windowCounts(stats, nowMs);
  const prior = n < PRIOR ? PRIOR : 0;
  const part = (bad: number) => (n + prior === 0 ? 1 : 1 - bad / (n + prior));
  const [usual, recent] = [latencyAt(dayCounts(stats).latencies, 0.5), recentMedian(stats, nowMs)];
  const latency = usual === null || recent === null ? 1 : Math.min(1, (usual * SLOWER) / recent);
  return Math.round((0.6 * part(failures) + 0.15 * part(rate_limited) + 0.25 * latency) * 100) / 100;
}
