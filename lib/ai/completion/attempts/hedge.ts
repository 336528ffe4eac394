import type { Candidate } from '../../routing/plan-types.ts';
import type { RunningCall } from '../call/running-call.ts';
import { AttemptFailed } from './attempt-failure.ts';

/** One attempt at a candidate. The signal, if there is one, ends this attempt alone. */
export type Attempt<T> = (candidate: Candidate, signal?: AbortSignal) => Promise<T>;

type Outcome<T> = { place: 0 | 1; answer: T } | { place: 0 | 1; error: unknown };

/**
 * Asks a second candidate if the first one has not begun to answer after the plan's time, and takes whoever begins first. The other one
 * is ended at once, so that it costs no more than what it has made. Throws if both fail, or the first one alone before the time.
 */
export async function hedge<T>(
  run: RunningCall,
  attempt: Attempt<T>,
  [first, second]: readonly [Candidate, Candidate],
  discard: (answer: T) => void,
): Promise<T> {
  const { ports, call, plan } = run;
  const ends = [new AbortController(), new AbortController()] as const;
  const start = (candidate: Candidate, place: 0 | 1): Promise<Outcome<T>> =>
    attempt(candidate, AbortSignal.any([call.signal, ends[place].signal])).then(
      (answer) => ({ place, answer }),
      (error: unknown) => ({ place, error }),
    );
  const leader = start(first, 0);
  const early = await within(leader, run, plan.hedge_after_ms ?? 0);
  if (early) return answerOf(early);
  ports.log.debug('call_hedged', { request_id: call.request_id });
  const both = [leader, start(second, 1)] as const;
  const fastest = await Promise.race(both);
  if ('answer' in fastest) {
    const other = fastest.place === 0 ? 1 : 0;
    ends[other].abort();
    // The other one may have begun at the same moment.
    void both[other].then((late) => 'answer' in late && discard(late.answer));
    return fastest.answer;
  }
  const last = await both[fastest.place === 0 ? 1 : 0];
  if ('answer' in last) return last.answer;
  throw fastest.place === 0 ? bothFailed(fastest.error, last.error) : bothFailed(last.error, fastest.error);
}

/** The failure of the first candidate, which also says how the second one failed. */
function bothFailed(first: unknown, second: unknown): unknown {
  if (first instanceof AttemptFailed && second instanceof AttemptFailed) first.alsoFailed = second.failure;
  return first;
}

function answerOf<T>(outcome: Outcome<T>): T {
  if ('answer' in outcome) return outcome.answer;
  throw outcome.error;
}

async function within<T>(coming: Promise<T>, { ports }: RunningCall, ms: number): Promise<T | undefined> {
  const came = new AbortController();
  try {
    return await Promise.race([coming, ports.clock.sleep(ms, came.signal).then(() => undefined)]);
  } finally {
    came.abort();
  }
}
