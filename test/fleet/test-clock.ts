import { type Clock, systemClock } from '../../lib/platform/clock.ts';

export interface TestClock extends Clock {
  /** Lets so much time pass at once, of the day and of durations alike. */
  pass(ms: number): void;
}

/** A clock that stands at this time until told otherwise. Sleeps are real: only what reads the time is concerned. */
export function clockAt(time: string): TestClock {
  let passed = 0;
  const start = Date.parse(time);
  return {
    nowMs: () => start + passed,
    monotonicMs: () => passed,
    sleep: systemClock.sleep,
    pass(ms) {
      passed += ms;
    },
  };
}
