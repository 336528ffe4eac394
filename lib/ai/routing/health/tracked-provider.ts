import type { ProviderHealth } from '../plan-types.ts';
import type { HealthSample } from './health-sample.ts';
import { countSample, mergeStats } from './health-stats.ts';
import {
  addPending,
  healthView,
  newState,
  nextCircuit,
  noPending,
  type PendingSamples,
  type ProviderState,
  withSamples,
} from './provider-state.ts';

/** One provider as this instance sees it: what the store has, what was seen here since, and both together. */
export interface TrackedProvider {
  stored: ProviderState;
  /** Samples that are being stored at the moment. They are forgotten when the store has them. */
  sending: PendingSamples | undefined;
  pending: PendingSamples | undefined;
  local: ProviderState;
  /** This instance may let one call try. */
  probing: boolean;
  /** It asks the store for that right at the moment. */
  claiming: boolean;
}

/** An organization's providers as this instance sees them, with the view that planning gets. */
export interface TrackedOrganization {
  id: string;
  providers: Map<string, TrackedProvider>;
  readAtMs: number;
  reading: boolean;
  view: ReadonlyMap<string, ProviderHealth>;
  viewAtMs: number;
  viewIsStale: boolean;
}

export const newTrackedOrganization = (id: string): TrackedOrganization => ({
  id,
  providers: new Map(),
  readAtMs: Number.NEGATIVE_INFINITY,
  reading: false,
  view: new Map(),
  viewAtMs: Number.NEGATIVE_INFINITY,
  viewIsStale: true,
});

export function trackedProvider({ providers }: TrackedOrganization, id: string): TrackedProvider {
  const known = providers.get(id);
  if (known) return known;
  const made: TrackedProvider = {
    stored: newState(),
    sending: undefined,
    pending: undefined,
    local: newState(),
    probing: false,
    claiming: false,
  };
  providers.set(id, made);
  return made;
}

/** Adds what one attempt says. Returns whether the circuit opened or closed by it, which the other instances should know at once. */
export function track(provider: TrackedProvider, sample: HealthSample): boolean {
  provider.pending ??= noPending();
  addPending(provider.pending, sample);
  const { local } = provider;
  const before = local.circuit.state;
  countSample(local.stats, sample);
  local.circuit = nextCircuit(local.circuit, sample, local.stats);
  return local.circuit.state !== before;
}

/** Takes over what the store has, with what was seen here since. An older state than the known one is ignored. */
export function adopt(provider: TrackedProvider, stored: ProviderState, nowMs: number): void {
  if (stored.version < provider.stored.version) return;
  provider.stored = stored;
  refreshLocal(provider, nowMs);
}

function refreshLocal(provider: TrackedProvider, nowMs: number): void {
  const { stored, sending, pending } = provider;
  const sent = withSamples(stored, sending ?? noPending(), nowMs);
  provider.local = pending ? withSamples(sent, pending, nowMs) : sent;
  if (provider.local.circuit.state === 'closed') provider.probing = false;
}

/** The samples to store now; undefined if there are none, or some are being stored already. */
export function takePending(provider: TrackedProvider): PendingSamples | undefined {
  if (provider.sending || !provider.pending) return undefined;
  provider.sending = provider.pending;
  provider.pending = undefined;
  return provider.sending;
}

export function confirmStored(provider: TrackedProvider, state: ProviderState, nowMs: number): void {
  provider.sending = undefined;
  // Whatever was known before, this is what the store has now.
  provider.stored = state;
  refreshLocal(provider, nowMs);
}

/** Puts samples that could not be stored before those that came meanwhile. */
export function putBack(provider: TrackedProvider, nowMs: number): void {
  const { sending, pending = noPending() } = provider;
  if (!sending) return;
  mergeStats(sending.stats, pending.stats, nowMs);
  provider.pending = {
    stats: sending.stats,
    steps: [...sending.steps, ...pending.steps],
    last_error: pending.last_error ?? sending.last_error,
    last_sample_ms: pending.last_sample_ms ?? sending.last_sample_ms,
  };
  provider.sending = undefined;
}

export const viewOf = ({ local, probing }: TrackedProvider, nowMs: number): ProviderHealth => healthView(local, nowMs, probing);
