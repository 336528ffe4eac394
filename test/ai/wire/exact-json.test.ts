import { expect, test } from '@jest/globals';
import { parseJson, parsePlainJson } from '../../../lib/ai/wire/exact-json.ts';

const nested = (levels: number, inside = '') => '['.repeat(levels) + inside + ']'.repeat(levels);

test.each([
  ['plain', parsePlainJson],
  ['exact', parseJson],
])('%s JSON of a usual depth is read, and deeper JSON is none', (_what, parse) => {
  for (const inside of ['', '7', '1.0', '12345678901234567890']) {
    expect(parse(nested(511, inside))).toBeDefined();
    for (const levels of [513, 10_000, 1_000_000]) expect(parse(nested(levels, inside))).toBeUndefined();
  }
  expect(parse('{"a":'.repeat(100_000) + 1 + '}'.repeat(100_000))).toBeUndefined();
  expect(parse('{"a":')).toBeUndefined();
});
