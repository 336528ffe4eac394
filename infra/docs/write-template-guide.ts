import { readFile, writeFile } from 'node:fs/promises';
import { withTables } from './template-tables.ts';

/** `npm run docs:templates`: writes the tables of the templates' guide from the code. */
const path = new URL('../../docs/guides/templates.md', import.meta.url);
await writeFile(path, withTables(await readFile(path, 'utf8')));
