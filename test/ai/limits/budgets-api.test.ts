import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { store } from '../../../functions/store.ts';
import { createReservations } from '../../../lib/ai/limits/reservations.ts';
import { picoUsdOf } from '../../../lib/ai/pricing/pico-usd.ts';
import type { BudgetReference } from '../../../lib/ai/routing/project-settings.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { type Account, data, makeAccount, refusal } from '../../identity/account-builder.ts';
import { type TurningClock, turningClock } from '../../identity/turning-clock.ts';

let host: TestHost;
let clock: TurningClock;
let account: Account;
let stranger: Account;
beforeAll(async () => {
  clock = turningClock();
  host = await startTestHost({ clock });
  [account, stranger] = [await makeAccount(host), await makeAccount(host)];
});
afterAll(() => host.stop());

const forOrganization = (more: object = {}) => ({
  scope: 'organization',
  scope_id: account.organizationId,
  period: 'month',
  limit_usd: 10,
  ...more,
});
const made = async (more: object = {}) => data(await account.api.post('/budgets', forOrganization(more)));

/** Reserves as a call of the gateway does. */
async function reserve(budget: { id: string }, usd: number) {
  const { database } = store();
  const reference: BudgetReference = {
    id: budget.id,
    scope: 'organization',
    scope_id: account.organizationId,
    period: 'month',
    limit_pico_usd: picoUsdOf(10),
  };
  const caller = { organization_id: account.organizationId, key_id: 'key', tokens_per_minute: null };
  const request = { request_id: 'r', cost_pico_usd: picoUsdOf(usd), tokens: 0, lease_ms: 60_000 };
  return createReservations({ database, clock, log: { error: (event) => expect(event).toBe('no failure') } })(request, [reference], caller);
}

test('a creation that is repeated with its Idempotency-Key makes one budget', async () => {
  const maker = await makeAccount(host);
  const body = forOrganization({ scope_id: maker.organizationId });
  const create = () => maker.api.post('/budgets', body, { headers: { 'idempotency-key': 'k1' } });
  const ids = (await Promise.all([create(), create(), create()])).map((answer) => data(answer).id);
  expect(new Set(ids).size).toBe(1);
  expect(data(await maker.api.get('/budgets'))).toHaveLength(1);
});

test('a budget is answered whole when it is made, and is in the list', async () => {
  const answer = await account.api.post('/budgets', forOrganization());
  expect(answer.status).toBe(201);
  const budget = answer.body.data;
  expect(budget).toEqual({
    ...forOrganization(),
    id: expect.stringMatching(/^[0-9A-Z]{26}$/),
    spent_usd: 0,
    reserved_usd: 0,
    resets_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
    created_at: expect.any(String),
  });
  const list = await account.api.get('/budgets');
  expect(list.body.data).toContainEqual(budget);
  expect(list.body.meta.pagination).toMatchObject({ page: 1, total_page: 1 });
  expect(data(await account.api.get(`/budgets/${budget.id}`))).toEqual(budget);
});

test('projects and keys of the organization can have a budget', async () => {
  const key = data(await account.api.post('/api-keys', { name: 'limited' }));
  expect((await made({ scope: 'project', scope_id: key.project_id, period: 'week', limit_usd: 0.0000001 })).limit_usd).toBe(1e-7);
  expect((await made({ scope: 'api_key', scope_id: key.id, period: 'day' })).scope).toBe('api_key');
});

test('a budget shows what is spent and reserved, and returns what a dead call had reserved', async () => {
  const budget = await made();
  await (await reserve(budget, 2)).settle({ cost_pico_usd: picoUsdOf(0.000_000_012_345), tokens: 0 });
  await reserve(budget, 3);
  expect(data(await account.api.get(`/budgets/${budget.id}`))).toMatchObject({ spent_usd: 1.2345e-8, reserved_usd: 3 });
  clock.turn(3 * 60_000);
  expect(data(await account.api.get(`/budgets/${budget.id}`))).toMatchObject({ spent_usd: 1.2345e-8, reserved_usd: 0 });
});

describe('a changed limit', () => {
  test('holds at once in the period that has begun', async () => {
    const budget = await made();
    await (await reserve(budget, 4)).settle({ cost_pico_usd: picoUsdOf(4), tokens: 0 });
    expect(data(await account.api.patch(`/budgets/${budget.id}`, { limit_usd: 5 }))).toMatchObject({ limit_usd: 5, spent_usd: 4 });
    await expect(reserve(budget, 1.5)).rejects.toMatchObject({ kind: 'quota_exceeded', details: { limit_usd: 5, spent_usd: 4 } });
    await account.api.patch(`/budgets/${budget.id}`, { limit_usd: 6 });
    await expect(reserve(budget, 1.5)).resolves.toBeDefined();
  });

  test('below what is spent refuses every call', async () => {
    const budget = await made();
    await (await reserve(budget, 4)).settle({ cost_pico_usd: picoUsdOf(4), tokens: 0 });
    await account.api.patch(`/budgets/${budget.id}`, { limit_usd: 1 });
    await expect(reserve(budget, 0)).rejects.toMatchObject({ kind: 'quota_exceeded', details: { limit_usd: 1, spent_usd: 4 } });
  });

  test('before the first call of a period holds for it', async () => {
    const budget = await made();
    await account.api.patch(`/budgets/${budget.id}`, { limit_usd: 1 });
    await expect(reserve(budget, 2)).rejects.toMatchObject({ kind: 'quota_exceeded', details: { reason: 'larger_than_budget' } });
  });

  test('is the last one of many that were changed at once, in the counter too', async () => {
    const budget = await made();
    await reserve(budget, 1);
    await Promise.all([2, 3, 4].map((limit_usd) => account.api.patch(`/budgets/${budget.id}`, { limit_usd })));
    const { limit_usd } = data(await account.api.get(`/budgets/${budget.id}`));
    await expect(reserve(budget, 100)).rejects.toMatchObject({ details: { limit_usd, reserved_usd: 1 } });
  });
});

test('a removed budget is gone, and limits nothing any more', async () => {
  const budget = await made({ limit_usd: 1 });
  expect((await account.api.delete(`/budgets/${budget.id}`)).status).toBe(204);
  expect(refusal(await account.api.get(`/budgets/${budget.id}`))).toEqual({ status: 404, type: 'NOT_FOUND', code: 'BUDGET_NOT_FOUND' });
  expect(refusal(await account.api.delete(`/budgets/${budget.id}`))).toMatchObject({ status: 404 });
  await expect(reserve(budget, 5)).resolves.toBeDefined();
});

test("another organization's budget does not exist for a caller", async () => {
  const budget = await made();
  for (const answer of [
    await stranger.api.get(`/budgets/${budget.id}`),
    await stranger.api.patch(`/budgets/${budget.id}`, { limit_usd: 1 }),
    await stranger.api.delete(`/budgets/${budget.id}`),
    await stranger.api.get(`/budgets/${budget.id}`, { headers: { 'x-organization-id': account.organizationId } }),
  ])
    expect(answer.status).toBe(404);
  expect((await stranger.api.get('/budgets')).body.data).toEqual([]);
});

test.each([
  [{ scope: 'team' }, 'scope'],
  [{ period: 'year' }, 'period'],
  [{ limit_usd: -1 }, 'limit_usd'],
  [{ limit_usd: '10' }, 'limit_usd'],
  [{ limit_usd: 1e300 }, 'limit_usd'],
  [{ scope_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, 'scope_id'],
  [{ scope: 'project', scope_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, 'scope_id'],
  [{ scope: 'api_key', scope_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, 'scope_id'],
])('a budget with %j is refused and names %s', async (more, field) => {
  const answer = await account.api.post('/budgets', forOrganization(more));
  expect(refusal(answer)).toMatchObject({ status: 400, type: 'VALIDATION_ERROR' });
  expect(answer.body.error.details.field).toBe(field);
});

test("a budget for another organization's project is refused like one for a project that does not exist", async () => {
  const { project_id } = data(await stranger.api.post('/api-keys', { name: 'theirs' }));
  const answers = [project_id, '01ARZ3NDEKTSV4RRFFQ69G5FAV'].map((scope_id) =>
    account.api.post('/budgets', forOrganization({ scope: 'project', scope_id })),
  );
  const [theirs, nobodys] = await Promise.all(answers);
  expect(theirs?.body.error).toEqual(nobodys?.body.error);
});

test('an unknown member is refused and named', async () => {
  const answer = await account.api.post('/budgets', forOrganization({ soft: true }));
  expect(answer.status).toBe(400);
  expect(answer.text).toContain('soft');
});
