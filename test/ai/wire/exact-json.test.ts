import { expect, test } from '@jest/globals';
import { parseJson, parseObject, parsePlainJson } from '../../../lib/ai/wire/exact-json.ts';

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

test.each(['123456789.123456789', '0.0000001', '-0.00000012', '12345678901234567890', '1.50', '1e400', '-0'])(
  '%s keeps its digits',
  (number) => {
    expect(JSON.stringify(parseJson(`{"n":[${number}]}`))).toBe(`{"n":[${number}]}`);
    expect(parseObject(number)).toBeUndefined();
  },
);
