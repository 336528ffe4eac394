import { UNKNOWN_QUALITY } from '../catalogue/known-models.ts';
import type { Candidate } from '../plan-types.ts';
import type { Priority } from '../project-settings.ts';

/** How much each feature counts, by the priority of the call (A.6). Each row sums to 1. */
export const SCORE_WEIGHTS: Record<Priority, Candidate['features']> = {
  balanced: { cost: 0.25, latency: 0.25, quality: 0.25, health: 0.25 },
  cost: { cost: 0.7, latency: 0.05, quality: 0.1, health: 0.15 },
  latency: { cost: 0.05, latency: 0.7, quality: 0.1, health: 0.15 },
  quality: { cost: 0.05, latency: 0.1, quality: 0.7, health: 0.15 },
  reliability: { cost: 0.05, latency: 0.1, quality: 0.15, health: 0.7 },
};

/** What is known of a candidate before it is compared with the others. */
export interface Measured {
  cost_pico_usd: bigint | null;
  latency_ms: number | null;
  quality: number | undefined;
  speed: number | undefined;
  health_score: number;
  /** It may be asked. */
  possible: boolean;
}

/** A model without known prices is neither cheap nor dear. */
const UNKNOWN_COST = 0.5;
const UNKNOWN_SPEED = 0.8;

/**
 * Features from 0 to 1, the best being 1. A provider without a measured latency counts as fast, so that it gets a chance; if nobody has one,
 * the catalogue's speeds are compared. Candidates that may not be asked set no measure for the others.
 */
export function featuresOf(all: readonly Measured[]): Candidate['features'][] {
  const possible = all.filter(({ possible }) => possible);
  const measures = possible.length > 0 ? possible : all;
  const costs = measures.map(({ cost_pico_usd }) => cost_pico_usd).filter((cost) => cost !== null);
  const cheapest = costs.reduce<bigint | undefined>((least, cost) => (least === undefined || cost < least ? cost : least), undefined);
  const latencies = measures.map(({ latency_ms }) => latency_ms).filter((latency) => latency !== null);
  const fastest = latencies.length > 0 ? Math.min(...latencies) : undefined;
  const quickest = Math.max(...measures.map(({ speed = UNKNOWN_SPEED }) => speed));
  return all.map(({ cost_pico_usd, latency_ms, quality, speed = UNKNOWN_SPEED, health_score }) => ({
    cost: cheapest === undefined ? 1 : cost_pico_usd === null ? UNKNOWN_COST : ratio(Number(cheapest), Number(cost_pico_usd)),
    latency: fastest === undefined ? Math.min(1, speed / quickest) : latency_ms === null ? 1 : ratio(fastest, latency_ms),
    quality: quality ?? UNKNOWN_QUALITY,
    health: health_score,
  }));
}

/** The part that the least is of a value; 1 for the least itself, also if it is zero. */
const ratio = (least: number, value: number): number => (value <= least ? 1 : least / value);

export const scoreOf = (features: Candidate['features'], weights: Candidate['features']): number =>
  round(
    features.cost * weights.cost +
      features.latency * weights.latency +
      features.quality * weights.quality +
      features.health * weights.health,
  );

/** Four decimals: sums that differ only in how they were added are equal. */
const round = (value: number): number => Math.round(value * 10_000) / 10_000;
