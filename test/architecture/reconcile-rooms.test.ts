import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

/** The rooms (folders) of the reconciler. Each may import rooms before it, and none after it. The reconciler itself may import all. */
const ROOMS = ['desired', 'effects', 'plan', 'inventory', 'health', 'removal', 'apply', 'steps'];
const RECONCILE = resolve(import.meta.dirname, '../../agent/reconcile');
const files = readdirSync(RECONCILE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(RECONCILE, join(entry.parentPath, entry.name)));

const roomOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined);
const importsOf = (file: string): string[] =>
  [...readFileSync(join(RECONCILE, file), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) =>
    relative(RECONCILE, join(RECONCILE, dirname(file), target)),
  );

test('every file of agent/reconcile but the reconciler itself is in one of its rooms', () => {
  expect(files.filter((file) => roomOf(file) === undefined)).toEqual(['stack-reconciler.ts']);
  expect([...new Set(files.map(roomOf))].filter((room) => room !== undefined).sort()).toEqual([...ROOMS].sort());
});

test('imports between the rooms of the reconciler run one way', () => {
  const isUpward = (from: string, to: string) => {
    if (to.startsWith('..')) return false;
    const [here, there] = [roomOf(from), roomOf(to)];
    return here !== undefined && (there === undefined || ROOMS.indexOf(there) > ROOMS.indexOf(here));
  };
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((to) => isUpward(file, to))
      .map((to) => `${file} → ${to}`),
  );
  expect(upward).toEqual([]);
});

test('no two files of the reconciler import each other', () => {
  const graph = new Map(files.map((file) => [file, importsOf(file).filter((to) => !to.startsWith('..'))]));
  const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
    (graph.get(from) ?? []).some((next) => {
      if (next === goal) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, goal, seen);
    });
  expect(files.filter((file) => reaches(file, file))).toEqual([]);
});
