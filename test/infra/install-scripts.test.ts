import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as z from 'zod';

const Lock = z.object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().default(false) })) });
const Package = z.object({ scarfSettings: z.object({ enabled: z.boolean() }), allowScripts: z.record(z.string(), z.boolean()) });
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

test('npm is told about every dependency with an installation script whether it may run', () => {
  const { packages } = Lock.parse(read('package-lock.json'));
  const names = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
  );
  expect(Object.keys(Package.parse(read('package.json')).allowScripts).sort()).toEqual([...new Set(names)].sort());
});

test('only packages that fetch, build or check a binary of the platform run a script when they are installed', () => {
  const { allowScripts } = Package.parse(read('package.json'));
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
  expect(allowed).toEqual(['@parcel/watcher', '@swc/core', 'esbuild', 'node']);
});

test('scarf, which comes with swagger-ui-dist and reports installations, is switched off', () => {
  expect(Package.parse(read('package.json'))).toMatchObject({ scarfSettings: { enabled: false }, allowScripts: { '@scarf/scarf': false } });
});
