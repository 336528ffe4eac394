import type { HealthSample } from './health-sample.ts';

/** Why a circuit is open. */
export type TripCause = 'failures' | 'credentials' | 'exhausted_account';

/**
 * The circuit breaker of one provider, the same for all instances. Open, it lets no call through until `retry_at_ms`; then one call may
 * try (half-open), whose outcome closes it or opens it for longer.
 */
export interface Circuit {
  state: 'closed' | 'open';
  cause: TripCause | null;
  opened_at_ms: number | null;
  retry_at_ms: number | null;
  consecutive_failures: number;
  /** How many times in a row it opened without a success between. */
  trips: number;
  /** An instance may try until then; no other one may. */
  probe_until_ms: number | null;
  /** When it closed for the last time. Older failures don't open it again. */
  closed_at_ms: number | null;
}

export const CLOSED: Circuit = {
  state: 'closed',
  cause: null,
  opened_at_ms: null,
  retry_at_ms: null,
  consecutive_failures: 0,
  trips: 0,
  probe_until_ms: null,
  closed_at_ms: null,
};

const FAILURES_IN_A_ROW = 5;
const LEAST_AVAILABILITY = 0.5;
const ENOUGH_SAMPLES = 10;
const FIRST_BACKOFF_MS = 30_000;
const LONGEST_BACKOFF_MS = 300_000;
/** Neither an account nor a key mends itself in seconds. */
const LONG_BACKOFF_MS = 900_000;
/** A call that tries has this long before another instance may. */
const PROBE_LEASE_MS = 60_000;

/** The outcomes of attempts that matter to a circuit, in their order. */
export type CircuitStep = Pick<HealthSample, 'result' | 'begun_ms' | 'at_ms'>;

export function stepCircuit(circuit: Circuit, step: CircuitStep): Circuit {
  switch (step.result) {
    case 'ignored':
    case 'rate_limited':
      return circuit;
    case 'success':
      return afterSuccess(circuit, step.begun_ms, step.at_ms);
    case 'credentials':
    case 'exhausted_account':
      return trip(circuit, step.result, step.at_ms);
    case 'failure':
      return afterFailure({ ...circuit, consecutive_failures: circuit.consecutive_failures + 1 }, step.begun_ms, step.at_ms);
  }
}

/** An answer to a call that began before the circuit opened says nothing of the time after. */
function afterSuccess(circuit: Circuit, begunMs: number, atMs: number): Circuit {
  if (circuit.state === 'open' && begunMs < (circuit.opened_at_ms ?? 0)) return circuit;
  if (circuit.state === 'open') return { ...CLOSED, closed_at_ms: atMs };
  return circuit.consecutive_failures === 0 && circuit.trips === 0 ? circuit : { ...circuit, consecutive_failures: 0, trips: 0 };
}

function afterFailure(circuit: Circuit, begunMs: number, atMs: number): Circuit {
  if (circuit.state === 'closed') return circuit.consecutive_failures >= FAILURES_IN_A_ROW ? trip(circuit, 'failures', atMs) : circuit;
  // Only the call that was let through to try opens it for longer; others began before, or had no other provider.
  return begunMs >= (circuit.retry_at_ms ?? 0) ? trip(circuit, circuit.cause ?? 'failures', atMs) : circuit;
}

/** Opens a closed circuit if too few of the attempts since it closed were answered. */
export function checkAvailability(circuit: Circuit, { n, failures }: { n: number; failures: number }, nowMs: number): Circuit {
  const tooFew = n >= ENOUGH_SAMPLES && 1 - failures / n < LEAST_AVAILABILITY;
  return circuit.state === 'closed' && tooFew ? trip(circuit, 'failures', nowMs) : circuit;
}

function trip(circuit: Circuit, cause: TripCause, atMs: number): Circuit {
  // More refusals of the same kind from calls that were under way prolong nothing.
  if (circuit.state === 'open' && circuit.cause === cause && atMs < (circuit.retry_at_ms ?? 0)) return circuit;
  const backoff =
    cause === 'failures' ? Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(circuit.trips, 10)) : LONG_BACKOFF_MS;
  return {
    ...circuit,
    state: 'open',
    cause,
    opened_at_ms: atMs,
    retry_at_ms: atMs + backoff,
    trips: circuit.trips + 1,
    probe_until_ms: null,
  };
}

/** Whether an instance may ask the store for the right to try. */
export const mayProbe = ({ state, retry_at_ms, probe_until_ms }: Circuit, nowMs: number): boolean =>
  state === 'open' && nowMs >= (retry_at_ms ?? 0) && nowMs >= (probe_until_ms ?? 0);

export const withProbe = (circuit: Circuit, nowMs: number): Circuit => ({ ...circuit, probe_until_ms: nowMs + PROBE_LEASE_MS });
