import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

/** Who may know whom: docs/architecture.md has the table this test enforces. */
const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = ['lib', 'functions', 'agent', 'infra', 'bench'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
);

interface Import {
  from: string;
  to: string;
}
const imports: Import[] = SOURCES.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target ?? '');
  return targets.map((target) => ({ from: file, to: target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target }));
});

const breaking = (from: (file: string) => boolean, forbidden: (target: string) => boolean) =>
  imports.filter((one) => from(one.from) && forbidden(one.to)).map((one) => `${one.from} → ${one.to}`);
const within =
  (...folders: string[]) =>
  (file: string) =>
    folders.some((folder) => file.startsWith(`${folder}/`));
const local = (target: string) => within('lib', 'functions', 'agent', 'infra', 'test', 'bench')(target);

test('the platform knows nothing of the product', () => {
  expect(breaking(within('lib/platform'), (to) => local(to) && !within('lib/platform')(to))).toEqual([]);
});

test('identity knows the platform alone', () => {
  expect(breaking(within('lib/identity'), (to) => local(to) && !within('lib/platform', 'lib/identity')(to))).toEqual([]);
});

test('the fleet knows platform and identity, never a function', () => {
  expect(breaking(within('lib/fleet'), (to) => local(to) && !within('lib/platform', 'lib/identity', 'lib/fleet')(to))).toEqual([]);
});

test('the protocol can be taken along by an agent: it needs nothing else', () => {
  expect(breaking(within('lib/fleet/protocol'), (to) => local(to) && !within('lib/fleet/protocol')(to))).toEqual([]);
});

test('functions know the library and each other only through the composition root', () => {
  expect(breaking(within('functions'), (to) => local(to) && !within('lib', 'functions')(to))).toEqual([]);
});

test('the agent shares the protocol and a few platform modules with the server, nothing more', () => {
  const shared = ['clock', 'log', 'errors', 'backoff', 'ids'].map((name) => `lib/platform/${name}.ts`);
  expect(breaking(within('agent'), (to) => local(to) && !within('agent', 'lib/fleet/protocol')(to) && !shared.includes(to))).toEqual([]);
});

test.each([
  ['@aws-sdk/', ['lib/platform/', 'infra/host/', 'infra/offline/', 'bench/']],
  ['@middy/', ['lib/platform/', 'functions/']],
  ['@kubernetes/client-node', ['agent/cluster/']],
])('%s stays where its adapter is', (dependency, places) => {
  expect(
    breaking(
      (file) => !places.some((place) => file.startsWith(place)),
      (to) => to.startsWith(dependency),
    ),
  ).toEqual([]);
});

test('the environment is read in three files; elsewhere it is only handed on to another process', () => {
  const places = ['lib/platform/config.ts', 'agent/config.ts', 'infra/host/host-config.ts'];
  const readers = SOURCES.filter(
    (file) => within('lib', 'functions', 'agent', 'infra')(file) && /(?<!\.\.\.)process\.env/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(readers.sort()).toEqual(places.sort());
});

test('time of day and randomness come from the clock and the ids', () => {
  const places = ['lib/platform/clock.ts', 'lib/platform/ids.ts'];
  const reads = /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|randomBytes\(/;
  const users = SOURCES.filter((file) => within('lib', 'functions', 'agent')(file) && reads.test(readFileSync(join(ROOT, file), 'utf8')));
  expect(users.filter((file) => !places.includes(file))).toEqual([]);
});

test('no two files carry the same name, and none is so long that nobody reads it', () => {
  const names = SOURCES.map((file) => file.split('/').at(-1) ?? '').filter((name) => !['main.ts', 'config.ts'].includes(name));
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  const long = SOURCES.map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length })).filter(
    ({ lines }) => lines > 350,
  );
  expect(long).toEqual([]);
});
