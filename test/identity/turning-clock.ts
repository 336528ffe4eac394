import { type Clock, systemClock } from '../../lib/platform/clock.ts';

export interface TurningClock extends Clock {
  /** Moves the time of day and the time that has passed forward. */
  turn(ms: number): void;
}

/** A clock that goes on by itself, and that a test may move forward. */
export function turningClock(): TurningClock {
  let turned = 0;
  return {
    nowMs: () => systemClock.nowMs() + turned,
    monotonicMs: () => systemClock.monotonicMs() + turned,
    sleep: systemClock.sleep,
    turn(ms) {
      turned += ms;
    },
  };
}
