import type { Log } from '../../platform/log.ts';

/** Work that follows an answer and that nobody waits for, as long as the process goes on. */
export interface AfterAnswer {
  /** Waits for the work where the process may be frozen after the answer. Otherwise it resolves at once; a failure is logged. */
  add(work: Promise<unknown>): Promise<void>;
  /** Resolves when everything is done. */
  drain(): Promise<void>;
}

export function createAfterAnswer({ background, log }: { background: boolean; log: Log }): AfterAnswer {
  const running = new Set<Promise<void>>();
  return {
    async add(work) {
      const watched = work.then(
        () => {},
        (error: unknown) => log.error('after_answer_failed', { error }),
      );
      if (!background) return watched;
      running.add(watched);
      void watched.finally(() => running.delete(watched));
    },
    async drain() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
