import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as z from 'zod';

const Lock = z.object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().default(false) })) });
const Package = z.object({ scarfSettings: z.object({ enabled: z.boolean() }) });
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** These packages fetch, build or check a binary of the platform. es5-ext prints a message, and scarf is switched off below. */
const KNOWN = ['@parcel/watcher', '@scarf/scarf', '@swc/core', 'es5-ext', 'esbuild', 'node'];

test('only the listed dependencies, which were reviewed, run a script at their installation', () => {
  const { packages } = Lock.parse(read('package-lock.json'));
  const names = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
  );
  expect(names.filter((name) => !KNOWN.includes(name))).toEqual([]);
});

test('scarf, which comes with swagger-ui-dist and reports installations, is switched off', () => {
  expect(Package.parse(read('package.json')).scarfSettings).toEqual({ enabled: false });
});
