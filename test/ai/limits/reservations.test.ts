import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configurationKey, gatewayTable } from '../../../lib/ai/gateway-table.ts';
import { counterKey, counterOf } from '../../../lib/ai/limits/budget-counter.ts';
import { createReservations, type Reserve } from '../../../lib/ai/limits/reservations.ts';
import { picoUsdOf } from '../../../lib/ai/pricing/pico-usd.ts';
import type { BudgetReference } from '../../../lib/ai/routing/project-settings.ts';
import { usageTable } from '../../../lib/ai/usage-table.ts';
import { newId } from '../../../lib/platform/ids.ts';
import { openUsageStore, standingClock, type UsageStore } from './usage-store.ts';

const NOON = Date.parse('2026-01-07T12:00:00Z');
const LEASE_MS = 60_000;

let store: UsageStore;
beforeAll(async () => {
  store = await openUsageStore();
});
afterAll(() => store.close());

async function budget(limit_usd: number, more: Partial<BudgetReference> = {}): Promise<BudgetReference> {
  const reference: BudgetReference = {
    id: newId(),
    scope: 'api_key',
    scope_id: 'key',
    period: 'day',
    limit_pico_usd: picoUsdOf(limit_usd),
    ...more,
  };
  const stored = { ...reference, limit_pico_usd: String(reference.limit_pico_usd) };
  await store.database.write({ table: gatewayTable.name, put: { ...configurationKey('org', 'BUDGET', reference.id), ...stored } });
  return reference;
}
async function counterAt(reference: BudgetReference, nowMs = NOON) {
  const item = await store.database.get(usageTable.name, counterKey(reference, nowMs));
  if (!item) return undefined;
  const { limit, spent, reserved, left } = counterOf(item);
  return { limit, spent, reserved, left };
}
const instance = (clock = standingClock(NOON)) =>
  createReservations({ database: store.database, clock, log: { error: (event) => expect(event).toBe('no failure') } });
const caller = { organization_id: 'org', key_id: newId(), tokens_per_minute: null };
const call = (usd: number, tokens = 0) => ({ request_id: 'r', cost_pico_usd: picoUsdOf(usd), tokens, lease_ms: LEASE_MS });

/** Makes calls side by side that all cost what they reserve. */
async function callAll(reserve: Reserve, budgets: readonly BudgetReference[], calls: number, usd: number) {
  const outcomes = await Promise.allSettled(
    Array.from({ length: calls }, async () => {
      const reservation = await reserve(call(usd), budgets, caller);
      await new Promise((resolve) => setImmediate(resolve));
      await reservation.settle({ cost_pico_usd: picoUsdOf(usd), tokens: 0 });
    }),
  );
  return {
    answered: outcomes.filter(({ status }) => status === 'fulfilled').length,
    refusals: outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
  };
}

interface Order {
  budgets: readonly BudgetReference[];
  calls: number;
  atOnce: number;
  amount: bigint;
  spends: bigint;
  dieAfter?: number;
  nowMs?: number;
}
/** Runs an instance in a process of its own. */
async function runProcess({ budgets, ...order }: Order) {
  const argument = JSON.stringify({ endpoint: store.endpoint, nowMs: NOON, ...order, budgets }, (_name, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const child = spawn(process.execPath, [join(import.meta.dirname, 'budget-process.ts'), argument], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const [code, signal] = await once(child, 'close');
  const lines = output.split('\n').filter((line) => line !== '');
  const answered = lines.filter((line) => line !== 'refused');
  return {
    code,
    signal,
    errors,
    answered: answered.length,
    refused: lines.length - answered.length,
    spent: answered.reduce((sum, line) => sum + BigInt(line), 0n),
  };
}

describe('a budget of 0.01 with calls of 0.001', () => {
  test('admits exactly ten of sixty-four calls at once, and has nothing reserved afterwards', async () => {
    const key = await budget(0.01);
    const { answered, refusals } = await callAll(instance(), [key], 64, 0.001);
    expect([answered, refusals.length]).toEqual([10, 54]);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({
        kind: 'quota_exceeded',
        details: { reason: 'budget_exceeded', limit_usd: 0.01, requested_usd: 0.001 },
      });
    expect(await counterAt(key)).toEqual({ limit: picoUsdOf(0.01), spent: picoUsdOf(0.01), reserved: 0n, left: 0n });
  });

  test('admits exactly ten if organization, project and key are limited at once; the wider ones have what was spent', async () => {
    const organization = await budget(0.05, { scope: 'organization', scope_id: 'org', period: 'month' });
    const project = await budget(0.02, { scope: 'project', scope_id: 'project', period: 'week' });
    const key = await budget(0.01);
    const { answered, refusals } = await callAll(instance(), [organization, project, key], 64, 0.001);
    expect([answered, refusals.length]).toEqual([10, 54]);
    for (const reference of [organization, project, key])
      expect(await counterAt(reference)).toMatchObject({ spent: picoUsdOf(0.01), reserved: 0n });
  });

  test('admits exactly ten on two processes with thirty-two calls each', async () => {
    const [key, project] = [await budget(0.01), await budget(0.02, { scope: 'project' })];
    const order = { budgets: [key, project], calls: 32, atOnce: 32, amount: picoUsdOf(0.001), spends: picoUsdOf(0.001) };
    const [one, other] = await Promise.all([runProcess(order), runProcess(order)]);
    expect([one.errors, other.errors]).toEqual(['', '']);
    expect([one.answered + other.answered, one.refused + other.refused]).toEqual([10, 54]);
    for (const reference of [key, project]) expect(await counterAt(reference)).toMatchObject({ spent: picoUsdOf(0.01), reserved: 0n });
  }, 60_000);

  test('is never exceeded while processes are killed among calls; their reservations return when the leases end', async () => {
    const budgets = [await budget(0.01), await budget(0.03, { scope: 'organization', period: 'month' })];
    const order = { budgets, calls: 32, atOnce: 4, amount: picoUsdOf(0.001), spends: picoUsdOf(0.0005) };
    const runs = await Promise.all([runProcess({ ...order, dieAfter: 1 }), runProcess({ ...order, dieAfter: 2 })]);
    expect(runs.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL']);
    for (const reference of budgets) {
      const counter = await counterAt(reference);
      expect((counter?.spent ?? 0n) + (counter?.reserved ?? 0n)).toBeLessThanOrEqual(reference.limit_pico_usd);
      expect(counter?.reserved).toBeGreaterThan(0n);
    }
    // Two minutes later all leases have ended, and the rest of the budget can be spent.
    const after = await runProcess({ ...order, calls: 64, nowMs: NOON + 2 * LEASE_MS });
    expect(after.errors).toBe('');
    const [key, organization] = budgets;
    if (!key || !organization) throw new Error('no budgets');
    const [inKey, inOrganization] = [await counterAt(key), await counterAt(organization)];
    expect(inKey?.reserved).toBe(0n);
    expect(inKey?.spent).toBeGreaterThan(picoUsdOf(0.009));
    expect(inKey?.spent).toBeLessThanOrEqual(picoUsdOf(0.01));
    // A process that is killed while it settles has booked its last calls in some budgets and not in others.
    expect(inOrganization?.reserved).toBe(0n);
    expect(inOrganization?.spent).toBeLessThanOrEqual(picoUsdOf(0.01));
    expect(inOrganization?.left).toBe(picoUsdOf(0.03) - (inOrganization?.spent ?? 0n));
  }, 60_000);
});

test('a refusal in one scope leaves nothing reserved in the others', async () => {
  const [organization, key] = [await budget(1, { scope: 'organization' }), await budget(0.001)];
  await expect(instance()(call(0.5), [organization, key], caller)).rejects.toMatchObject({
    kind: 'quota_exceeded',
    details: { budget_id: key.id },
  });
  expect(await counterAt(organization)).toMatchObject({ spent: 0n, reserved: 0n, left: picoUsdOf(1) });
});

test('a refusal has the exact numbers of the budget, and the time of its reset', async () => {
  const key = await budget(0.01, { period: 'week' });
  const reserve = instance();
  await (await reserve(call(0.004), [key], caller)).settle({ cost_pico_usd: 1_234_567n, tokens: 0 });
  await reserve(call(0.008), [key], caller);
  await expect(reserve(call(0.005), [key], caller)).rejects.toMatchObject({
    kind: 'quota_exceeded',
    message:
      "the week's budget of 0.01 USD for this api key has too little left: 0.000001234567 USD spent, 0.008 USD reserved, and the call may cost 0.005 USD",
    details: {
      reason: 'budget_exceeded',
      limit_usd: 0.01,
      spent_usd: 0.000001234567,
      reserved_usd: 0.008,
      requested_usd: 0.005,
      resets_at: '2026-01-12T00:00:00.000Z',
    },
  });
});

test('a call that may cost more than the whole budget is refused with that reason', async () => {
  const key = await budget(0.01);
  await expect(instance()(call(10), [key], caller)).rejects.toMatchObject({
    kind: 'quota_exceeded',
    details: { reason: 'larger_than_budget' },
  });
});

describe('settling', () => {
  test('books what was spent, and counts only once', async () => {
    const key = await budget(1);
    const reservation = await instance()(call(0.5), [key], caller);
    await reservation.settle({ cost_pico_usd: picoUsdOf(0.2), tokens: 0 });
    await reservation.settle({ cost_pico_usd: picoUsdOf(0.3), tokens: 0 });
    expect(await counterAt(key)).toEqual({ limit: picoUsdOf(1), spent: picoUsdOf(0.2), reserved: 0n, left: picoUsdOf(0.8) });
  });

  test('after the lease has ended and was returned books what was spent', async () => {
    const clock = standingClock(NOON);
    const [key, reserve] = [await budget(1), instance(clock)];
    const late = await reserve(call(0.9), [key], caller);
    clock.move(3 * LEASE_MS);
    await (await reserve(call(0.9), [key], caller)).settle({ cost_pico_usd: picoUsdOf(0.1), tokens: 0 });
    await late.settle({ cost_pico_usd: picoUsdOf(0.2), tokens: 0 });
    expect(await counterAt(key)).toMatchObject({ spent: picoUsdOf(0.3), reserved: 0n, left: picoUsdOf(0.7) });
  });

  test('a cost above the estimate is booked in full, and the next call is refused', async () => {
    const [key, reserve] = [await budget(0.01), instance()];
    await (await reserve(call(0.01), [key], caller)).settle({ cost_pico_usd: picoUsdOf(0.02), tokens: 0 });
    expect(await counterAt(key)).toMatchObject({ spent: picoUsdOf(0.02), left: -picoUsdOf(0.01) });
    await expect(reserve(call(0), [key], caller)).rejects.toMatchObject({ kind: 'quota_exceeded' });
  });

  test('keeps a counter small over a day of leases', async () => {
    const clock = standingClock(NOON - 10 * 3_600_000);
    const [key, reserve] = [await budget(1), instance(clock)];
    for (let minute = 0; minute < 120; minute++) {
      await (await reserve(call(0.001), [key], caller)).settle({ cost_pico_usd: 1n, tokens: 0 });
      clock.move(60_000);
    }
    const item = await store.database.get(usageTable.name, counterKey(key, NOON));
    expect(Object.keys(item ?? {}).length).toBeLessThan(12);
    expect(await counterAt(key)).toMatchObject({ spent: 120n, reserved: 0n });
  }, 60_000);

  test('after the budget was deleted changes nothing', async () => {
    const key = await budget(1);
    const reservation = await instance()(call(0.5), [key], caller);
    await store.database.write({ table: usageTable.name, delete: counterKey(key, NOON) });
    await reservation.settle({ cost_pico_usd: 5n, tokens: 0 });
    expect(await counterAt(key)).toBeUndefined();
  });
});

test('a budget that was deleted a moment ago no longer limits', async () => {
  const key = await budget(0.01);
  await store.database.write({ table: gatewayTable.name, delete: configurationKey('org', 'BUDGET', key.id) });
  await expect(instance()(call(5), [key], caller)).resolves.toBeDefined();
});

test('a new period has the limit that is stored, not the one that an instance remembers', async () => {
  const key = await budget(0.01);
  await expect(instance()(call(0.5), [{ ...key, limit_pico_usd: picoUsdOf(1) }], caller)).rejects.toMatchObject({ kind: 'quota_exceeded' });
});

test.each([
  ['day', '2026-01-07T23:59:59.999Z', '2026-01-08T00:00:00Z'],
  ['week', '2026-01-11T23:59:59.999Z', '2026-01-12T00:00:00Z'],
  ['month', '2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00Z'],
] as const)('a budget for a %s is whole again in the next one', async (period, last, first) => {
  const clock = standingClock(NOON);
  const [key, reserve] = [await budget(0.01, { period }), instance(clock)];
  await (await reserve(call(0.01), [key], caller)).settle({ cost_pico_usd: picoUsdOf(0.01), tokens: 0 });
  clock.move(Date.parse(last) - clock.nowMs());
  await expect(reserve(call(0.001), [key], caller)).rejects.toMatchObject({ kind: 'quota_exceeded' });
  clock.move(Date.parse(first) - clock.nowMs());
  await expect(reserve(call(0.01), [key], caller)).resolves.toBeDefined();
});

test('amounts beyond the exact numbers of JavaScript stay exact to the last digit', async () => {
  const key = await budget(1_000_000_000, { period: 'month' });
  const reserve = instance();
  await (await reserve({ ...call(0), cost_pico_usd: 123_456_789_012_345_678_901n }, [key], caller)).settle({
    cost_pico_usd: 123_456_789_012_345_678_899n,
    tokens: 0,
  });
  expect(await counterAt(key)).toEqual({
    limit: 10n ** 21n,
    spent: 123_456_789_012_345_678_899n,
    reserved: 0n,
    left: 10n ** 21n - 123_456_789_012_345_678_899n,
  });
});

test('one budget costs one write to reserve and one to settle', async () => {
  const [key, reserve] = [await budget(1), instance()];
  await reserve(call(0.001), [key], caller);
  store.calls();
  await (await reserve(call(0.001), [key], caller)).settle({ cost_pico_usd: 1n, tokens: 0 });
  expect(store.calls()).toEqual([
    { operation: 'UpdateItem', units: 1 },
    { operation: 'UpdateItem', units: 1 },
  ]);
});

describe('tokens per minute', () => {
  const limited = () => ({ ...caller, key_id: newId(), tokens_per_minute: 500 });

  test('two of five calls at once pass if each may use 190 of 500 tokens', async () => {
    const [reserve, key] = [instance(), limited()];
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => reserve(call(0, 190), [], key)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    const [refusal] = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refusal).toMatchObject({ kind: 'rate_limited', details: { limit: 500, remaining: 120 } });
  });

  test('tokens that were not used are free again in the same minute', async () => {
    const [reserve, key] = [instance(), limited()];
    const first = await reserve(call(0, 500), [], key);
    expect(first.tokens).toMatchObject({ limit: 500, remaining: 0 });
    await first.settle({ cost_pico_usd: 0n, tokens: 100 });
    await expect(reserve(call(0, 401), [], key)).rejects.toMatchObject({ kind: 'rate_limited' });
    await expect(reserve(call(0, 400), [], key)).resolves.toBeDefined();
  });

  test('a new minute has the full allowance', async () => {
    const clock = standingClock(NOON + 59_900);
    const [reserve, key] = [instance(clock), limited()];
    const late = await reserve(call(0, 500), [], key);
    clock.move(200);
    await reserve(call(0, 500), [], key);
    await late.settle({ cost_pico_usd: 0n, tokens: 10 });
    await expect(reserve(call(0, 1), [], key)).rejects.toMatchObject({ kind: 'rate_limited' });
  });

  test('a call that a budget refuses takes no tokens', async () => {
    const [reserve, key, small] = [instance(), limited(), await budget(0.001)];
    await expect(reserve(call(1, 500), [small], key)).rejects.toMatchObject({ kind: 'quota_exceeded' });
    await expect(reserve(call(0, 500), [], key)).resolves.toBeDefined();
  });

  test('a call for more tokens than the whole limit is refused', async () => {
    await expect(instance()(call(0, 501), [], limited())).rejects.toMatchObject({ kind: 'rate_limited' });
  });
});
