import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as z from 'zod';

const Lock = z.object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().default(false) })) });
const Package = z.object({ scarfSettings: z.object({ enabled: z.boolean() }) });
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** They fetch, build or check the binary of their platform; es5-ext prints a message, and scarf is switched off below. */
const KNOWN = ['@parcel/watcher', '@scarf/scarf', '@swc/core', 'es5-ext', 'esbuild', 'node'];

test('no dependency runs a script at its installation that nobody has looked at', () => {
  const { packages } = Lock.parse(read('package-lock.json'));
  const names = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
  );
  expect(names.filter((name) => !KNOWN.includes(name))).toEqual([]);
});

test('an installation is reported to nobody: scarf, which comes with swagger-ui-dist, is switched off', () => {
  expect(Package.parse(read('package.json')).scarfSettings).toEqual({ enabled: false });
});
