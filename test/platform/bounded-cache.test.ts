import { expect, test } from '@jest/globals';
import { createBoundedCache } from '../../lib/platform/bounded-cache.ts';

/** Random numbers that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** The share of hits if this many keys are read in turn, after two rounds to warm up. */
function hitRate(capacity: number, keys: number): number {
  const cache = createBoundedCache<number>(capacity, seeded(7));
  let hits = 0;
  for (let round = 0; round < 5; round++) {
    for (let key = 0; key < keys; key++) {
      if (cache.get(String(key)) === key) hits += round < 2 ? 0 : 1;
      else cache.set(String(key), key);
    }
  }
  return hits / (3 * keys);
}

test('a cache finds every key that fits', () => {
  expect(hitRate(1_000, 1_000)).toBe(1);
});

test.each([
  [1_001, 0.99],
  [1_100, 0.75],
  [1_500, 0.35],
  [2_000, 0.15],
])('a cache of 1,000 entries that %i keys are read from in turn loses hits gradually', (keys, least) => {
  expect(hitRate(1_000, keys)).toBeGreaterThan(least);
});

test('a cache never holds more entries than its capacity', () => {
  const cache = createBoundedCache<number>(10, seeded(1));
  for (let key = 0; key < 100; key++) cache.set(String(key), key);
  expect([...cache.entries()]).toHaveLength(10);
});

test('a deleted entry is gone from the cache, and the others stay', () => {
  const cache = createBoundedCache<number>(10);
  for (let key = 0; key < 5; key++) cache.set(String(key), key);
  for (const key of ['0', '4', 'none']) cache.delete(key);
  expect(['0', '1', '2', '3', '4'].map((key) => cache.get(key))).toEqual([undefined, 1, 2, 3, undefined]);
});

test('an entry of the cache that is set again has the new value and replaces no other entry', () => {
  const cache = createBoundedCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  expect([cache.get('a'), cache.get('b')]).toEqual([3, 2]);
});
