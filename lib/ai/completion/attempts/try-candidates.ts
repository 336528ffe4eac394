import { AppError } from '../../../platform/errors.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import { upstreamError } from '../../wire/upstream-error.ts';
import { type RunningCall, throwIfGone } from '../call/running-call.ts';
import { AttemptFailed, CallerGone, noProvider } from './attempt-failure.ts';
import { type Attempt, hedge } from './hedge.ts';
import { type FailedAttempt, nextStep } from './retry-rules.ts';

/**
 * Asks the plan's candidates until one has answered, or throws what the caller gets. An attempt whose content has gone to the caller has
 * succeeded here; what happens to it afterwards is no matter of this loop. `discard` ends an answer that is not needed.
 */
export async function tryCandidates<T>(run: RunningCall, attempt: Attempt<T>, discard: (answer: T) => void = () => {}): Promise<T> {
  const { plan, call } = run;
  const failed: FailedAttempt[] = [];
  let refusal: AppError | undefined;
  for (let index = 0; ; ) {
    throwIfGone(call);
    const candidate = plan.attempts[index];
    if (!candidate) throw refusal ?? noProvider(plan.requested_model, plan.reason);
    const second = failed.length === 0 && index === 0 && plan.hedge_after_ms !== undefined ? plan.attempts[1] : undefined;
    try {
      return await (second ? hedge(run, attempt, [candidate, second], discard) : attempt(candidate));
    } catch (error) {
      throwIfGone(call);
      if (error instanceof AppError) {
        // This provider can't be asked such a thing. Another one may.
        refusal ??= error;
        index += 1;
        continue;
      }
      if (!(error instanceof AttemptFailed)) throw error;
      if (error.alsoFailed) failed.push({ candidate: index + 1, failure: error.alsoFailed });
      failed.push({ candidate: index, failure: error.failure });
      index = await nextCandidate(run, candidate, failed, error);
    }
  }
}

/** Waits as long as it has to, and returns who is asked next. Throws what the caller gets if nobody is. */
async function nextCandidate(
  run: RunningCall,
  candidate: Candidate,
  failed: readonly FailedAttempt[],
  error: AttemptFailed,
): Promise<number> {
  const { ports, plan, call, journal } = run;
  const remainingMs = run.deadlineMs - ports.clock.monotonicMs();
  const step = nextStep({ failed, candidates: plan.attempts.length, maxRetries: retriesOf(run, candidate), remainingMs }, ports.random);
  if (step.do === 'fail') throw upstreamError(error.failure, candidate.provider.provider_id);
  if (step.afterMs > 0) {
    journal.waitedMs += step.afterMs;
    await ports.clock.sleep(step.afterMs, call.signal).catch(() => {
      throw new CallerGone();
    });
  }
  return step.candidate;
}

/** A client that tries again by itself multiplies our attempts, so a repeated call gets one round. */
const retriesOf = ({ settings, call }: RunningCall, { provider }: Candidate): number =>
  call.client_retries > 0 ? 0 : (settings.policy.max_retries ?? provider.max_retries);
