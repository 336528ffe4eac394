import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { limitHeaders, openAiDuration, openAiLimitHeaders } from '../../../lib/ai/limits/limit-headers.ts';
import { createRateLimits, MONTHS } from '../../../lib/ai/limits/rate-limits.ts';
import { createDatabase } from '../../../lib/platform/database/document-client.ts';
import { newId } from '../../../lib/platform/ids.ts';
import { openUsageStore, standingClock, type UsageStore } from './usage-store.ts';

const MINUTE = Date.parse('2026-01-01T00:00:00Z');
const closed = { withoutStore: 'closed' } as const;
const quiet = { warn() {} };

let store: UsageStore;
beforeAll(async () => {
  store = await openUsageStore();
});
afterAll(() => store.close());

const instance = (clock = standingClock(MINUTE)) => createRateLimits({ database: store.database, clock, log: quiet });
/** How many of so many calls, made side by side, are let through. */
async function admitted(limits: ReturnType<typeof instance>, subject: string, limit: number, calls: number): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, () => limits.admit(subject, limit, closed)));
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

test('eight processes with ten thousand calls never pass the limit, and leave at most one lease each unused', async () => {
  const run = promisify(execFile);
  const [subject, limit, calls] = [newId(), 1_000, 1_250];
  const script = join(import.meta.dirname, 'rate-limit-process.ts');
  const outputs = await Promise.all(
    Array.from({ length: 8 }, () =>
      run(process.execPath, [script, store.endpoint, subject, String(limit), String(calls), String(MINUTE + 5_000)]),
    ),
  );
  const sum = outputs.reduce((total, { stdout }) => total + Number(stdout), 0);
  expect(sum).toBeLessThanOrEqual(limit);
  expect(sum).toBeGreaterThanOrEqual(limit - 8 * (limit / 20));
}, 60_000);

test.each([1, 3, 19, 20, 100, 1_000])('one instance uses a limit of %p up to the last call', async (limit) => {
  expect(await admitted(instance(), newId(), limit, limit + 50)).toBe(limit);
});

test('two instances that call in turn share a limit without a rest', async () => {
  const subject = newId();
  const [one, other] = [instance(), instance()];
  let sum = 0;
  for (let call = 0; call < 60; call++) sum += await admitted(call % 2 === 0 ? one : other, subject, 40, 1);
  expect(sum).toBe(40);
});

test('a limit of 1,000 costs one write for fifty calls, and none once it is used up', async () => {
  const [limits, subject] = [instance(), newId()];
  store.calls();
  await admitted(limits, subject, 1_000, 1_000);
  expect(store.calls().map(({ operation }) => operation)).toEqual(Array(20).fill('UpdateItem'));
  expect(await admitted(limits, subject, 1_000, 100)).toBe(0);
  expect(store.calls()).toEqual([]);
});

test('each minute has the full limit, also right after one that was used up', async () => {
  const [clock, subject] = [standingClock(MINUTE + 59_900), newId()];
  const limits = instance(clock);
  expect(await admitted(limits, subject, 10, 12)).toBe(10);
  clock.move(200);
  expect(await admitted(limits, subject, 10, 12)).toBe(10);
});

test('a lowered limit holds for the calls that are not leased yet', async () => {
  const [limits, subject] = [instance(), newId()];
  expect(await admitted(limits, subject, 100, 10)).toBe(10);
  expect(await admitted(limits, subject, 5, 10)).toBe(0);
});

test('subjects do not share a limit', async () => {
  const limits = instance();
  expect(await admitted(limits, `KEY ${newId()}`, 5, 5)).toBe(5);
  expect(await admitted(limits, `KEY ${newId()}`, 5, 5)).toBe(5);
});

test('a refusal says when the next minute begins', async () => {
  const [clock, subject] = [standingClock(MINUTE + 18_500), newId()];
  const limits = instance(clock);
  await admitted(limits, subject, 1, 1);
  await expect(limits.admit(subject, 1, closed)).rejects.toMatchObject({
    kind: 'rate_limited',
    retryAfterSeconds: 42,
    details: { limit: 1, remaining: 0, resets_at: '2026-01-01T00:01:00.000Z', retry_after_ms: 41_500 },
  });
});

describe('a limit for a month', () => {
  const monthly = (clock = standingClock(MINUTE)) => createRateLimits({ database: store.database, clock, log: quiet }, MONTHS);

  test('is shared by instances, never passed, and whole again in the next month', async () => {
    const [clock, subject] = [standingClock(Date.parse('2026-01-31T23:59:59Z')), newId()];
    const [one, other] = [monthly(clock), monthly(clock)];
    expect((await admitted(one, subject, 10, 8)) + (await admitted(other, subject, 10, 8))).toBe(10);
    clock.move(1_000);
    expect(await admitted(one, subject, 10, 8)).toBe(8);
  });

  test('is refused as a quota, with the day on which it is whole again', async () => {
    const [limits, subject] = [monthly(), newId()];
    await admitted(limits, subject, 2, 2);
    await expect(limits.admit(subject, 2, closed)).rejects.toMatchObject({
      kind: 'quota_exceeded',
      details: { reason: 'monthly_requests_exceeded', limit: 2, resets_at: '2026-02-01T00:00:00.000Z' },
    });
  });
});

describe('without the store', () => {
  const gone = () =>
    createRateLimits({ database: createDatabase({ endpoint: 'http://127.0.0.1:9' }), clock: standingClock(MINUTE), log: quiet });

  test('reads pass, and are marked', async () => {
    const state = await gone().admit('a', 10, { withoutStore: 'open' });
    expect(state).toMatchObject({ limit: 10, unchecked: true });
    expect(limitHeaders(state)).toMatchObject({ 'x-ratelimit-unchecked': 'true' });
  });

  test('inference is refused as unavailable', async () => {
    await expect(gone().admit('a', 10, closed)).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: expect.any(Number) });
  });
});

describe('headers', () => {
  test('an answer names the limit, the calls that remain, and the second of the reset', async () => {
    const state = await instance().admit(newId(), 100, closed);
    expect(limitHeaders(state)).toEqual({ 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '99', 'x-ratelimit-reset': '1767225660' });
    expect(openAiLimitHeaders('requests', state, MINUTE + 15_500)).toEqual({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '99',
      'x-ratelimit-reset-requests': '44.5s',
    });
  });

  test.each([
    [0, '0ms'],
    [120, '120ms'],
    [7_660, '7.66s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_600_000, '1h0m0s'],
  ])('%p ms are written as %p', (ms, text) => {
    expect(openAiDuration(ms)).toBe(text);
  });
});
