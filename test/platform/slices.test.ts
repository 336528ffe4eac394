import { expect, test } from '@jest/globals';
import { mapInSlices } from '../../lib/platform/slices.ts';

const busyFor = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test('work on many items is done in slices, between which other work runs', async () => {
  let otherRuns = 0;
  let working = true;
  const others = () => {
    otherRuns += 1;
    if (working) setImmediate(others);
  };
  setImmediate(others);
  // Two hundred milliseconds of work: at least twenty slices.
  const mapped = await mapInSlices(Array.from({ length: 200 }), () => busyFor(1));
  working = false;
  expect(mapped).toHaveLength(200);
  expect(otherRuns).toBeGreaterThanOrEqual(20);
});

test('the results of work in slices are in the order of the items', async () => {
  const items = Array.from({ length: 1_000 }, (_, n) => n);
  expect(await mapInSlices(items, (n) => n * 2)).toEqual(items.map((n) => n * 2));
});
