import type { CallRecord } from '../call-record.ts';
import { addLatency, HISTOGRAM_PREFIX, TTFT_PREFIX } from './rollup-histogram.ts';
import { bucketStart, DIMENSIONS, type Dimension, GRAINS, type Grain } from './rollup-table.ts';

/** What one row of the rollups gets of a batch. All values are whole numbers to add. */
export interface RollupGroup {
  project_id: string;
  organization_id: string;
  grain: Grain;
  dimension: Dimension;
  value: string;
  startMs: number;
  add: Record<string, number>;
}

/** A cost is kept in two numbers, so that sums stay exact: the store's client reads whole numbers of up to 2^53. */
const PICO_PER_MICRO = 1_000_000n;

/** Sums a batch by project, dimension and bucket. The same records give the same groups, in the same order. */
export function foldRecords(records: readonly CallRecord[]): RollupGroup[] {
  const groups = new Map<string, RollupGroup>();
  for (const record of records) {
    const counts = countsOf(record);
    for (const dimension of DIMENSIONS) {
      const value = valueIn(record, dimension);
      if (value === null) continue;
      for (const grain of Object.keys(GRAINS) as Grain[]) {
        const startMs = bucketStart(grain, record.started_ms);
        const key = `${record.project_id} ${grain} ${dimension} ${startMs} ${value}`;
        const group = groups.get(key) ?? groupOf(record, grain, dimension, value, startMs);
        groups.set(key, group);
        for (const [name, count] of Object.entries(counts)) group.add[name] = (group.add[name] ?? 0) + count;
      }
    }
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

const groupOf = (
  { project_id, organization_id }: CallRecord,
  grain: Grain,
  dimension: Dimension,
  value: string,
  startMs: number,
): RollupGroup => ({
  project_id,
  organization_id,
  grain,
  dimension,
  value,
  startMs,
  add: {},
});

function valueIn(record: CallRecord, dimension: Dimension): string | null {
  switch (dimension) {
    case 'all':
      return '';
    case 'provider':
      return record.provider;
    case 'model':
      return record.provider === null || record.model === null ? null : `${record.provider}/${record.model}`;
    case 'api_key':
      return record.api_key_id;
  }
}

function countsOf(record: CallRecord): Record<string, number> {
  const { outcome, usage, attempts, cache } = record;
  const cost = BigInt(record.cost_pico_usd);
  const saved = BigInt(record.saved_pico_usd);
  const providers = new Set(attempts.map(({ provider, model }) => `${provider}/${model}`)).size;
  const counts: Record<string, number> = {
    requests: 1,
    [`outcome_${outcome}`]: 1,
    prompt_tokens: usage.prompt_tokens ?? 0,
    completion_tokens: usage.completion_tokens ?? 0,
    cached_tokens: usage.cached_input ?? 0,
    reasoning_tokens: usage.reasoning ?? 0,
    cost_micro_usd: Number(cost / PICO_PER_MICRO),
    cost_pico_rest: Number(cost % PICO_PER_MICRO),
    saved_micro_usd: Number(saved / PICO_PER_MICRO),
    saved_pico_rest: Number(saved % PICO_PER_MICRO),
    estimated: record.cost_estimated ? 1 : 0,
    attempts: attempts.length,
    fallbacks: Math.max(0, providers - 1),
    cache_hits: cache === 'HIT' ? 1 : 0,
    cache_lookups: cache === 'DISABLED' ? 0 : 1,
    latency_us: Math.round(record.latency_ms * 1_000),
    overhead_us: Math.round(record.overhead_ms * 1_000),
    ttft_us: Math.round((record.ttft_ms ?? 0) * 1_000),
    ttft_count: record.ttft_ms === null ? 0 : 1,
  };
  if (outcome === 'success' || outcome === 'error') addLatency(counts, HISTOGRAM_PREFIX, record.latency_ms);
  if (record.ttft_ms !== null) addLatency(counts, TTFT_PREFIX, record.ttft_ms);
  for (const name of Object.keys(counts)) if (counts[name] === 0) delete counts[name];
  return counts;
}

/** The exact cost of a row, in 10⁻¹² US dollars. */
export const costOfRow = (row: Readonly<Record<string, unknown>>): bigint =>
  BigInt(Number(row.cost_micro_usd ?? 0)) * PICO_PER_MICRO + BigInt(Number(row.cost_pico_rest ?? 0));
