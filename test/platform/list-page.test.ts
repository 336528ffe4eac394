import { expect, test } from '@jest/globals';
import { collectPage } from '../../lib/platform/list-page.ts';

const LAMBDA_BYTES = 6 * 1024 * 1024;

test.each(['x', '"', '\\', '\u0001', 'ü'])(
  'a full page of texts of %j fits through Lambda, which escapes the answer once more',
  (letter) => {
    const page = collectPage<{ text: string }>(100_000);
    while (page.add({ text: letter.repeat(1_000) }));
    const sent = Buffer.byteLength(JSON.stringify({ statusCode: 200, body: JSON.stringify(page.items) }));
    expect(sent).toBeLessThan(LAMBDA_BYTES);
    expect(sent).toBeGreaterThan(LAMBDA_BYTES / 2);
  },
);

test('a page has no more items than its limit, and at least one item of any size', () => {
  const page = collectPage<string>(2);
  expect(['a', 'b', 'c'].map((item) => page.add(item))).toEqual([true, true, false]);
  expect(collectPage<string>(2).add('x'.repeat(LAMBDA_BYTES))).toBe(true);
});
