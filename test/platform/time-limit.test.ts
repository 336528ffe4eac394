import { expect, test } from '@jest/globals';
import { OutOfTime, withinMs } from '../../lib/platform/time-limit.ts';

test('code gets its time, and its value and its errors come through', () => {
  expect(withinMs(1_000, () => [1, 2])).toEqual([1, 2]);
  class Own extends Error {}
  expect(() =>
    withinMs(1_000, () => {
      throw new Own('of its own');
    }),
  ).toThrow(Own);
});

test.each<[string, () => unknown]>([
  [
    'a loop without an end',
    () => {
      for (;;);
    },
  ],
  ['a regular expression that backtracks', () => /^(a+)+$/.test(`${'a'.repeat(60)}!`)],
])('%s is ended, and the next work runs as if nothing had been', (_what, work) => {
  expect(() => withinMs(50, work)).toThrow(OutOfTime);
  expect(withinMs(1_000, () => 'on')).toBe('on');
});
