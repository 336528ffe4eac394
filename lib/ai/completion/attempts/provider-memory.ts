import { createBoundedCache } from '../../../platform/bounded-cache.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Target } from '../../providers/adapter.ts';
import type { Candidate } from '../../routing/plan-types.ts';

/** What this process has learned about providers that no setting says. */
export interface ProviderMemory {
  /** The candidate's target, with what was learned about its provider. */
  targetOf(candidate: Candidate): Target;
  /** The provider refuses `stream_options`, so its streams have no usage. */
  learnNoStreamUsage(target: Target): void;
}

const PROVIDERS = 10_000;
/** A provider may learn it too: then it is asked again. */
const REMEMBERED_MS = 3_600_000;

export function createProviderMemory(clock: Clock): ProviderMemory {
  const refusedAt = createBoundedCache<number>(PROVIDERS);
  const keyOf = ({ base_url, model }: Target) => `${base_url} ${model}`;
  return {
    targetOf({ target }) {
      const at = refusedAt.get(keyOf(target));
      return at !== undefined && clock.monotonicMs() - at < REMEMBERED_MS ? { ...target, without_stream_usage: true } : target;
    },
    learnNoStreamUsage: (target) => refusedAt.set(keyOf(target), clock.monotonicMs()),
  };
}
