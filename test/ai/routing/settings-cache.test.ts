import { beforeEach, expect, test } from '@jest/globals';
import type { ProjectSettings } from '../../../lib/ai/routing/project-settings.ts';
import { createSettingsCache, type SettingsCache } from '../../../lib/ai/routing/settings-cache.ts';
import { clockAt, type TestClock } from '../../fleet/test-clock.ts';

let clock: TestClock;
let stored: Map<string, ProjectSettings>;
let reads: number;
let store: 'well' | 'down' | 'slow';
let finish: (() => void)[];
let cache: SettingsCache;

const settings = (plan: string): ProjectSettings => ({
  organization_id: 'o',
  project_id: 'p',
  plan,
  requests_per_minute: 100,
  active: true,
  providers: [],
  groups: [],
  policy: { priority: 'balanced' },
  prices: [],
  budgets: [],
  cache: { strategy: 'disabled', ttl_seconds: 300, similarity_threshold: 0.95, embedding_model: null },
  capture: 'metadata',
  redact: [],
});

beforeEach(() => {
  clock = clockAt('2026-03-01T12:00:00.000Z');
  stored = new Map([['p', settings('free')]]);
  [reads, store, finish] = [0, 'well', []];
  cache = createSettingsCache({
    clock,
    capacity: 3,
    async load(projectId) {
      reads++;
      if (store === 'down') throw new Error('the store is down');
      const found = stored.get(projectId) ?? settings('other');
      if (store === 'slow') await new Promise<void>((resolve) => finish.push(resolve));
      return found;
    },
  });
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a project is read once for any number of calls at once', async () => {
  const seen = await Promise.all(Array.from({ length: 100 }, () => cache.settingsOf('p')));
  expect(new Set(seen).size).toBe(1);
  expect(reads).toBe(1);
});

test('a change shows in every process after five seconds at the latest', async () => {
  await cache.settingsOf('p');
  stored.set('p', settings('pro'));
  clock.pass(5_000);
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'pro' });
});

test('settings are read again before they are too old, and no call waits for it', async () => {
  await cache.settingsOf('p');
  stored.set('p', settings('pro'));
  clock.pass(3_500);
  store = 'slow';
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'free' });
  for (const done of finish) done();
  await settled();
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'pro' });
  expect(reads).toBe(2);
});

test('settings older than five seconds are never returned, also while the store is down', async () => {
  await cache.settingsOf('p');
  store = 'down';
  clock.pass(4_999);
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'free' });
  await settled();
  clock.pass(1);
  await expect(cache.settingsOf('p')).rejects.toThrow('the store is down');
  store = 'well';
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'free' });
});

test('the age of settings counts from the begin of their read', async () => {
  store = 'slow';
  const first = cache.settingsOf('p');
  stored.set('p', settings('pro'));
  clock.pass(2_000);
  for (const done of finish) done();
  await first;
  store = 'well';
  clock.pass(3_000);
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'pro' });
});

test('a process that changed settings itself sees them at once, also if a read was on its way', async () => {
  store = 'slow';
  const early = cache.settingsOf('p');
  stored.set('p', settings('pro'));
  cache.forget('p');
  store = 'well';
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'pro' });
  for (const done of finish) done();
  await early;
  expect(await cache.settingsOf('p')).toMatchObject({ plan: 'pro' });
});

test('the settings of many projects take a bounded part of memory', async () => {
  for (const id of ['a', 'b', 'c', 'd', 'e']) await cache.settingsOf(id);
  reads = 0;
  for (const id of ['a', 'b', 'c', 'd', 'e']) await cache.settingsOf(id);
  expect(reads).toBeGreaterThanOrEqual(2);
});
