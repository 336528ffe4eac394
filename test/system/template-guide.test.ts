import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { withTables } from '../../infra/docs/template-tables.ts';

test("the guide's tables of templates are those that `npm run docs:templates` writes from the code", async () => {
  const guide = await readFile(new URL('../../docs/guides/templates.md', import.meta.url), 'utf8');
  expect(guide).toBe(withTables(guide));
});
