import { expect, test } from '@jest/globals';
import { isUlid, newUlid } from '../../lib/platform/ids.ts';

/** The example of the ULID specification. It is in the past of the other tests' times. */
test('a ULID begins with its time', () => {
  expect(newUlid(1_469_918_176_385).slice(0, 10)).toBe('01ARYZ6S41');
});

const MS = 1_767_225_600_000;

test('ULIDs of one process rise within a millisecond, and when the clock goes back', () => {
  const ids = [...Array.from({ length: 2_000 }, () => newUlid(MS)), newUlid(MS - 5_000), newUlid(MS + 1)];
  expect(ids.every(isUlid)).toBe(true);
  expect(ids).toEqual([...new Set(ids)].sort());
});

test.each(['', '8ZZZZZZZZZZZZZZZZZZZZZZZZZ', '01ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01kdvdnz80000000000000000a'])('%j is no ULID', (text) => {
  expect(isUlid(text)).toBe(false);
});
