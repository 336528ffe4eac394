import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auditKey, refusalKey, telemetryTable } from '../../lib/identity/telemetry-table.ts';
import type { Item } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { ok } from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

/** A log that is far longer than what one request reads: one entry a second for six hours, and a rare one at its beginning. */
const DAY = '2026-03-01';
const ENTRIES = 21_600;
let clock: TestClock;
let host: TestHost;
let read: number;
beforeAll(async () => {
  clock = clockAt(`${DAY}T23:00:00.000Z`);
  host = await startTestHost({
    clock,
    functions: { scheduleGroups: [] },
    onConsumed: (operation, units) => {
      if (/Query|Get/.test(operation)) read += units;
    },
  });
  await seed([entryAt(`${DAY}T09:00:00.000Z`, 'stack.deleted')]);
  await seed(Array.from({ length: ENTRIES }, (_, n) => entryAt(timeOf(n), n % 100 === 0 ? 'stack.created' : 'stack.updated')));
}, 120_000);
afterAll(() => host.stop());

const timeOf = (n: number) => new Date(Date.parse(`${DAY}T12:00:00.000Z`) + n * 1_000).toISOString();

function entryAt(timestamp: string, action: string, keyOf = auditKey): Item {
  const id = crypto.randomUUID();
  const actor = { actor_type: 'admin', actor_id: null, actor_name: 'admin' };
  const about = { resource_type: 'stack', resource_id: null, details: null };
  const expires_at = Math.floor(clock.nowMs() / 1_000) + 86_400;
  return { ...keyOf(timestamp, id), type: 'audit', id, timestamp, created_at: timestamp, action, ...actor, ...about, expires_at };
}

async function seed(items: readonly Item[]) {
  const { database } = host.app.services;
  for (let from = 0; from < items.length; from += 800) {
    const some = Array.from({ length: 8 }, (_, n) => items.slice(from + n * 100, from + (n + 1) * 100));
    await Promise.all(some.map((batch) => database.transact(batch.map((put) => ({ table: telemetryTable.name, put })))));
  }
}

interface Page {
  logs: { id: string; timestamp: string; action: string }[];
  total: number;
  next: string | null;
}
const search = (query: string): Promise<Page> => ok(host.admin.get(`/admin/audit-logs?${query}`));

/** Every page of a search, following its cursor. */
async function searchAll(query: string): Promise<Page[]> {
  const pages = [await search(query)];
  for (let next = pages[0]?.next; next; next = pages.at(-1)?.next) pages.push(await search(`${query}&cursor=${next}`));
  return pages;
}
const timesIn = (pages: readonly Page[]) => pages.flatMap(({ logs }) => logs.map(({ timestamp }) => timestamp));

test('an entry is found by its time, however many later entries the day has', async () => {
  const found = await search(`from=${DAY}T08:00:00Z&to=${DAY}T10:00:00Z`);
  expect(found).toMatchObject({ logs: [{ action: 'stack.deleted' }], total: 1, next: null });
});

test('the newest page costs the same however long the log is', async () => {
  read = 0;
  const { logs } = await search('limit=100');
  expect(timesIn([{ logs, total: 0, next: null }])).toEqual(Array.from({ length: 100 }, (_, n) => timeOf(ENTRIES - 1 - n)));
  // A page holds a hundred entries, and about a thousand are read for the total.
  expect(read).toBeLessThan(500);
});

test('a rare entry at the far end is found by following the cursor, and no request reads the whole log', async () => {
  const reads: number[] = [];
  let page: Page | undefined;
  const found: string[] = [];
  do {
    read = 0;
    page = await search(`action=stack.deleted${page?.next ? `&cursor=${page.next}` : ''}`);
    reads.push(read);
    found.push(...page.logs.map(({ action }) => action));
  } while (page.next !== null);
  expect(found).toEqual(['stack.deleted']);
  expect(reads.length).toBeGreaterThan(1);
});

test('the pages of a search join to all its matches, each once and in order', async () => {
  const pages = await searchAll('action=stack.created&limit=70');
  expect(timesIn(pages)).toEqual(Array.from({ length: ENTRIES / 100 }, (_, n) => timeOf(ENTRIES - 100 * (n + 1))));
});

test('pages stay as they are while new entries come', async () => {
  const first = await search(`to=${DAY}T13:00:00Z&limit=50`);
  await seed([entryAt(`${DAY}T22:00:00.000Z`, 'agent.created')]);
  const second = await search(`to=${DAY}T13:00:00Z&limit=50&cursor=${first.next}`);
  expect(timesIn([first, second])).toEqual(Array.from({ length: 100 }, (_, n) => timeOf(3_599 - n)));
});

describe('the total', () => {
  test('the total is exact if the search reads to the end', async () => {
    expect(await search(`from=${timeOf(0)}&to=${timeOf(900)}&limit=10`)).toMatchObject({ total: 900 });
    expect(await search(`action=stack.created&from=${timeOf(ENTRIES / 2)}&limit=10`)).toMatchObject({ total: ENTRIES / 200 });
  });
  test('the total is a lower bound if the search stops before the end', async () => {
    expect(await search('limit=10')).toMatchObject({ total: 1_000 });
    expect(await search('limit=10&offset=1500')).toMatchObject({ total: 1_510 });
    const rare = await search('action=stack.created&limit=200');
    expect(rare.total).toBe(rare.logs.length);
    expect(rare.next).not.toBeNull();
  });
});

test('a search for other entries finds them despite a flood of refused keys', async () => {
  const flood = Array.from({ length: 5_000 }, (_, n) =>
    entryAt(`${DAY}T22:30:00.${String(n % 1000).padStart(3, '0')}Z`, 'auth.failed', refusalKey),
  );
  await seed(flood.map((entry) => ({ ...entry, actor_type: 'system', resource_type: 'system' })));
  expect(await search('action=auth.*&limit=1')).toMatchObject({ logs: [{ action: 'auth.failed' }] });
  expect(await search('limit=1')).toMatchObject({ logs: [{ action: 'auth.failed' }] });
  expect(await search('action=agent.*&limit=1')).toMatchObject({ logs: [{ action: 'agent.created' }] });
});

test.each(['abc', '*', Buffer.from('no place').toString('base64url')])('a malformed cursor (%s) is refused', async (cursor) => {
  expect(await host.admin.get(`/admin/audit-logs?cursor=${cursor}`)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
});
