import type { Clock } from '../../platform/clock.ts';
import type { StreamFrame, StreamFrames } from './stream-frame.ts';

export interface KeepAliveOptions {
  clock: Clock;
  everyMs: number;
  /** The silence has lasted for that long already. */
  atOnce: boolean;
}

const KEEP_ALIVE: readonly StreamFrame[] = [{ kind: 'keep-alive' }];

/** The same frames, and a sign of life where none has come for some time. */
export function keepAlive(frames: StreamFrames, { clock, everyMs, atOnce }: KeepAliveOptions): AsyncIterable<readonly StreamFrame[]> {
  type Next = IteratorResult<readonly StreamFrame[], void>;
  const over = new AbortController();
  let pending: Promise<Next> | undefined;
  let wake: ((next: Next) => void) | undefined;
  let quietSinceMs = atOnce ? Number.NEGATIVE_INFINITY : clock.monotonicMs();
  let beating = false;

  async function beat(): Promise<void> {
    beating = true;
    for (;;) {
      if (wake && clock.monotonicMs() - quietSinceMs >= everyMs) wake({ done: false, value: KEEP_ALIVE });
      const quietMs = Math.max(0, clock.monotonicMs() - quietSinceMs);
      await clock.sleep(Math.max(1_000, everyMs - quietMs), over.signal);
    }
  }

  const iterator: AsyncIterator<readonly StreamFrame[], void> = {
    next: () =>
      new Promise<Next>((resolve, reject) => {
        const settle = (next: Next) => {
          quietSinceMs = clock.monotonicMs();
          wake = undefined;
          if (next.done) over.abort();
          resolve(next);
        };
        wake = settle;
        if (!beating) beat().catch(() => {});
        pending ??= frames.next().finally(() => {
          pending = undefined;
        });
        pending.then((next) => wake?.(next), reject);
      }),
    async return() {
      over.abort();
      await frames.return();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
