import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

/** This test enforces the table of allowed imports in docs/architecture.md. */
const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = ['lib', 'functions', 'agent', 'infra', 'bench'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
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

test('lib/platform imports nothing of the product', () => {
  expect(breaking(within('lib/platform'), (to) => local(to) && !within('lib/platform')(to))).toEqual([]);
});

test('lib/identity imports lib/platform and nothing else', () => {
  expect(breaking(within('lib/identity'), (to) => local(to) && !within('lib/platform', 'lib/identity')(to))).toEqual([]);
});

test('lib/fleet imports lib/platform and lib/identity, and no function', () => {
  expect(breaking(within('lib/fleet'), (to) => local(to) && !within('lib/platform', 'lib/identity', 'lib/fleet')(to))).toEqual([]);
});

test('lib/ai imports lib/platform and lib/identity, and neither the fleet nor a function', () => {
  expect(breaking(within('lib/ai'), (to) => local(to) && !within('lib/platform', 'lib/identity', 'lib/ai')(to))).toEqual([]);
});

test('lib/fleet/protocol imports nothing else, so that the agent can use it alone', () => {
  expect(breaking(within('lib/fleet/protocol'), (to) => local(to) && !within('lib/fleet/protocol')(to))).toEqual([]);
});

test('functions import lib and other functions, and nothing else', () => {
  expect(breaking(within('functions'), (to) => local(to) && !within('lib', 'functions')(to))).toEqual([]);
});

test('the agent imports the protocol and a few platform modules of the server, and nothing else', () => {
  const shared = ['clock', 'log', 'errors', 'backoff', 'ids', 'redaction'].map((name) => `lib/platform/${name}.ts`);
  expect(breaking(within('agent'), (to) => local(to) && !within('agent', 'lib/fleet/protocol')(to) && !shared.includes(to))).toEqual([]);
});

test.each([
  ['@aws-sdk/', ['lib/platform/', 'infra/host/', 'infra/offline/', 'bench/']],
  ['@middy/', ['lib/platform/', 'functions/']],
  ['@kubernetes/client-node', ['agent/cluster/']],
])('only the folders of its adapter import %s', (dependency, places) => {
  expect(
    breaking(
      (file) => !places.some((place) => file.startsWith(place)),
      (to) => to.startsWith(dependency),
    ),
  ).toEqual([]);
});

test('only three files read the environment; others pass it to another process at most', () => {
  const places = ['lib/platform/config.ts', 'agent/config.ts', 'infra/host/host-config.ts'];
  const readers = SOURCES.filter(
    (file) => within('lib', 'functions', 'agent', 'infra')(file) && /(?<!\.\.\.)process\.env/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(readers.sort()).toEqual(places.sort());
});

test('only clock.ts and ids.ts read the time of day and random values', () => {
  const places = ['lib/platform/clock.ts', 'lib/platform/ids.ts'];
  const reads = /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|randomBytes\(/;
  const users = SOURCES.filter((file) => within('lib', 'functions', 'agent')(file) && reads.test(readFileSync(join(ROOT, file), 'utf8')));
  expect(users.filter((file) => !places.includes(file))).toEqual([]);
});

test('no two source files have the same name, and none has more than 350 lines', () => {
  const names = SOURCES.map((file) => file.split('/').at(-1) ?? '').filter((name) => !['main.ts', 'config.ts'].includes(name));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  const long = SOURCES.map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length })).filter(
    ({ lines }) => lines > 350,
  );
  expect(long).toEqual([]);
});
