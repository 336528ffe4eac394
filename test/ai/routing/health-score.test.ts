import { expect, test } from '@jest/globals';
import { packCounts, unpackCounts } from '../../../lib/ai/routing/health/health-repository.ts';
import type { HealthSample } from '../../../lib/ai/routing/health/health-sample.ts';
import { addPending, healthFigures, healthView, newState, noPending, withSamples } from '../../../lib/ai/routing/health/provider-state.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const sample = (result: HealthSample['result'], at_ms = NOW, latency_ms = 100): HealthSample => ({
  organization_id: 'o',
  provider_id: 'p',
  result,
  latency_ms,
  begun_ms: at_ms - latency_ms,
  at_ms,
});
function stateOf(samples: HealthSample[], now = NOW) {
  const pending = noPending();
  for (const one of samples) addPending(pending, one);
  return withSamples(newState(), pending, now);
}
const view = (samples: HealthSample[], now = NOW) => healthView(stateOf(samples, now), now, false);
const times = (count: number, result: HealthSample['result'], ...rest: [number?, number?]) =>
  Array.from({ length: count }, () => sample(result, ...rest));

test.each<[string, HealthSample[], number]>([
  ['nothing', [], 1],
  ['successes alone', times(20, 'success'), 1],
  ['one failure in ten', [...times(9, 'success'), sample('failure')], 0.94],
  ['one refusal by a limit in ten', [...times(9, 'success'), sample('rate_limited')], 0.99],
  ['one failure and nothing else, mixed with five imagined successes', [sample('failure')], 0.9],
  ['ten failures', times(10, 'failure'), 0.4],
])('the score of %s is as the contract computes it', (_case, samples, score) => {
  expect(view(samples).health_score).toBeCloseTo(score, 10);
});

test('a provider that became slower than its day’s middle and a quarter loses up to a quarter of its score', () => {
  const usual = times(200, 'success', NOW - 3_600_000, 100);
  expect(view([...usual, ...times(20, 'success', NOW, 120)]).health_score).toBe(1);
  const slow = view([...usual, ...times(20, 'success', NOW, 1_250)]).health_score;
  expect(slow).toBeCloseTo(0.75 + 0.25 * 0.1, 1);
});

test('attempts older than five minutes count no more', () => {
  const old = [...times(9, 'failure', NOW - 311_000)];
  expect(view(old)).toMatchObject({ samples: 0, health_score: 1, success_rate: 1, avg_latency_ms: null });
});

test('percentiles are within a tenth of the truth', () => {
  const samples = Array.from({ length: 1_000 }, (_, index) => sample('success', NOW, index + 1));
  const { p95_latency_ms, p99_latency_ms } = healthFigures(stateOf(samples), NOW);
  for (const [found, truth] of [
    [p95_latency_ms, 950],
    [p99_latency_ms, 990],
  ] as const)
    expect(Math.abs((found ?? 0) / truth - 1)).toBeLessThan(0.1);
});

test('figures are those of the window and of the day', () => {
  const samples = [...times(8, 'success'), ...times(2, 'failure'), ...times(90, 'success', NOW - 7_200_000)];
  expect(healthFigures(stateOf(samples), NOW)).toMatchObject({
    sample_count: 10,
    requests_per_minute: 2,
    errors_per_minute: 0.4,
    uptime_percentage: 98,
  });
  expect(view(samples)).toMatchObject({ success_rate: 0.8, avg_latency_ms: 100 });
});

test('packed counts are read as they were', () => {
  const [counts] = stateOf([...times(3, 'success', NOW, 250), sample('failure'), sample('rate_limited')]).stats.buckets.values();
  expect(counts && unpackCounts(packCounts(counts))).toEqual(counts);
});
