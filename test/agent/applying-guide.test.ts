import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { STACK_ANNOTATIONS, USER_ANNOTATION } from '../../agent/reconcile/desired/ownership.ts';

const guide = readFileSync(new URL('../../docs/guides/applying.md', import.meta.url), 'utf8');

test('the guide tells of every annotation that users may write, and where', () => {
  const rows = [...guide.matchAll(/^\| `(brokkr\.io\/[a-z-]+)` \| ([a-z, ]+) \|/gm)].map(
    ([, name = '', places = '']) => [name, places.split(', ')] as const,
  );
  expect(rows.map(([name]) => name).sort()).toEqual([...new Set([...Object.values(USER_ANNOTATION), ...STACK_ANNOTATIONS])].sort());
  expect(
    rows
      .filter(([, places]) => places.includes('stack'))
      .map(([name]) => name)
      .sort(),
  ).toEqual([...STACK_ANNOTATIONS].sort());
});
