import { describe, expect, test } from '@jest/globals';
import { type Circuit, CLOSED, checkAvailability, mayProbe, stepCircuit, withProbe } from '../../../lib/ai/routing/health/circuit.ts';
import type { HealthSample } from '../../../lib/ai/routing/health/health-sample.ts';

const step = (circuit: Circuit, result: HealthSample['result'], at_ms: number, latency_ms = 0) =>
  stepCircuit(circuit, { result, at_ms, begun_ms: at_ms - latency_ms });
const fail = (times: number, from: Circuit = CLOSED, at_ms = 1_000) =>
  Array.from({ length: times }).reduce<Circuit>((circuit) => step(circuit, 'failure', at_ms), from);
const opened = fail(5);

test('four failures in a row leave the circuit closed, the fifth opens it for 30 seconds', () => {
  expect(fail(4).state).toBe('closed');
  expect(opened).toMatchObject({ state: 'open', opened_at_ms: 1_000, retry_at_ms: 31_000, consecutive_failures: 5 });
});

test('a success between failures begins the count anew', () => {
  expect(fail(4, step(fail(4), 'success', 2_000)).state).toBe('closed');
});

test('callers’ faults and limits that pass never open it', () => {
  let circuit = CLOSED;
  for (let call = 0; call < 100; call++) circuit = step(step(circuit, 'ignored', call), 'rate_limited', call);
  expect(circuit).toEqual(CLOSED);
});

test.each([
  [9, 9, 'closed', 'too few attempts'],
  [10, 5, 'closed', 'half of them answered'],
  [10, 6, 'open', 'less than half answered'],
])('with %i attempts and %i failures it is %s: %s', (n, failures, state) => {
  expect(checkAvailability(CLOSED, { n, failures }, 1_000).state).toBe(state);
});

describe('an open circuit', () => {
  test('lets one instance try when its time has come, and another one only if that one does not come back', () => {
    expect(mayProbe(opened, 30_999)).toBe(false);
    expect(mayProbe(opened, 31_000)).toBe(true);
    const claimed = withProbe(opened, 31_000);
    expect(mayProbe(claimed, 90_999)).toBe(false);
    expect(mayProbe(claimed, 91_000)).toBe(true);
  });

  test('closes by the success of a call that began after it opened', () => {
    expect(step(opened, 'success', 31_500, 400)).toMatchObject({ state: 'closed', consecutive_failures: 0, trips: 0 });
  });

  test('stays open by the late success of a call that began before', () => {
    expect(step(opened, 'success', 31_500, 31_000)).toBe(opened);
  });

  test('stays open for twice the time after each failed try, five minutes at the most', () => {
    let circuit = opened;
    const waits = [];
    for (let trial = 0; trial < 6; trial++) {
      const now = circuit.retry_at_ms ?? 0;
      circuit = step(withProbe(circuit, now), 'failure', now + 10, 5);
      waits.push((circuit.retry_at_ms ?? 0) - (circuit.opened_at_ms ?? 0));
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  test('is not prolonged by failures of calls that were under way', () => {
    expect(step(opened, 'failure', 20_000, 19_500).retry_at_ms).toBe(31_000);
  });
});

test.each(['credentials', 'exhausted_account'] as const)(
  '%s opens it at once and for long, and calls that were under way prolong nothing',
  (cause) => {
    const circuit = step(CLOSED, cause, 1_000);
    expect(circuit).toMatchObject({ state: 'open', cause, retry_at_ms: 901_000 });
    expect(step(circuit, cause, 5_000)).toBe(circuit);
  },
);
