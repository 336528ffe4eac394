import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { data } from '../../identity/account-builder.ts';
import { newProjectKey, type ProjectKey } from '../project-key.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
}, 30_000);
afterAll(() => host.stop());

/** Waits for calls of this key as a client does that never tries again. */
const clientOf = ({ key }: Pick<ProjectKey, 'key'>) => new OpenAI({ apiKey: key, baseURL: `${host.url}/v1`, maxRetries: 0 });
const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }], max_tokens: 100 };

/** The outcomes of calls that start at once. */
async function atOnce(openai: OpenAI, calls: number, more: object = {}) {
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, () => openai.chat.completions.create({ ...ask, ...more })));
  return {
    answered: outcomes.filter(({ status }) => status === 'fulfilled').length,
    refusals: outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
  };
}

test('a budget refuses what it has no money for with the exact numbers, and shows what was spent', async () => {
  const key = await newProjectKey(host);
  // The simulated provider costs 2 USD for a million tokens of output, and 1 of input.
  const budget = data(await key.account.api.post('/budgets', { scope: 'api_key', scope_id: key.id, period: 'day', limit_usd: 0.0005 }));
  const { answered, refusals } = await atOnce(clientOf(key), 16);
  expect(answered).toBeGreaterThan(0);
  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals) {
    expect(refusal).toBeInstanceOf(OpenAI.RateLimitError);
    expect(refusal).toMatchObject({ status: 429, code: 'insufficient_quota', type: 'insufficient_quota' });
    expect(refusal.headers.get('x-should-retry')).toBe('false');
    expect(refusal.error.details).toMatchObject({
      budget_id: budget.id,
      limit_usd: 0.0005,
      spent_usd: expect.any(Number),
      reserved_usd: expect.any(Number),
    });
  }
  const after = data(await key.account.api.get(`/budgets/${budget.id}`));
  expect(after.reserved_usd).toBe(0);
  expect(after.spent_usd).toBeGreaterThan(0);
  expect(after.spent_usd).toBeLessThanOrEqual(0.0005);
});

test('a call that may cost more than its whole budget is refused with that reason, and nothing is reserved', async () => {
  const key = await newProjectKey(host);
  const budget = data(
    await key.account.api.post('/budgets', { scope: 'project', scope_id: key.project_id, period: 'month', limit_usd: 0.001 }),
  );
  const { refusals } = await atOnce(clientOf(key), 1, { max_tokens: 1_000_000 });
  expect(refusals).toMatchObject([{ status: 429, code: 'insufficient_quota', error: { details: { reason: 'larger_than_budget' } } }]);
  expect(data(await key.account.api.get(`/budgets/${budget.id}`))).toMatchObject({ spent_usd: 0, reserved_usd: 0 });
});

test('a stream settles its budget as well', async () => {
  const key = await newProjectKey(host);
  const budget = data(await key.account.api.post('/budgets', { scope: 'api_key', scope_id: key.id, period: 'week', limit_usd: 1 }));
  const stream = await clientOf(key).chat.completions.create({ ...ask, stream: true });
  let cost = 0;
  for await (const chunk of stream) cost = Object(chunk).brokle?.cost ?? cost;
  expect(data(await key.account.api.get(`/budgets/${budget.id}`))).toMatchObject({ spent_usd: cost, reserved_usd: 0 });
});

test("a key's tokens per minute are reserved by the output that a call may have", async () => {
  const key = await newProjectKey(host, { limits: { tokens_per_minute: 500 } });
  const openai = clientOf(key);
  const { answered, refusals } = await atOnce(openai, 3, { max_tokens: 450 });
  expect([answered, refusals.length]).toEqual([1, 2]);
  expect(refusals[0]).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  expect(Number(refusals[0].headers.get('retry-after-ms'))).toBeGreaterThan(0);
  const { response } = await openai.chat.completions.create({ ...ask, max_tokens: 20 }).withResponse();
  expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('500');
  expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(500);
});

test("a key's own requests per minute hold, and each answer counts them down", async () => {
  const key = await newProjectKey(host, { limits: { requests_per_minute: 3 } });
  const openai = clientOf(key);
  const remaining: unknown[] = [];
  for (let call = 0; call < 3; call++) {
    const { response } = await openai.chat.completions.create(ask).withResponse();
    remaining.push(response.headers.get('x-ratelimit-remaining-requests'));
  }
  expect(remaining).toEqual(['2', '1', '0']);
  const { refusals } = await atOnce(openai, 1);
  expect(refusals).toMatchObject([{ status: 429, code: 'rate_limit_exceeded' }]);
  expect(Number(refusals[0].headers.get('retry-after'))).toBeGreaterThan(0);
});

test('an equal question is answered from the cache for nothing, and not with no-store', async () => {
  const openai = clientOf(await newProjectKey(host));
  const cached = { ...ask, brokle: { cache_strategy: 'exact' } };
  const first = await openai.chat.completions.create(cached).withResponse();
  expect(first.response.headers.get('x-brokle-cache')).toBe('MISS');
  // The answer is kept after it has gone out.
  let second = await openai.chat.completions.create(cached).withResponse();
  while (second.response.headers.get('x-brokle-cache') !== 'HIT') second = await openai.chat.completions.create(cached).withResponse();
  expect(second.data).toMatchObject({ choices: first.data.choices, brokle: { cache_hit: true, cost: 0 } });
  expect(second.data.id).not.toBe(first.data.id);
  const anew = await openai.chat.completions.create(cached, { headers: { 'cache-control': 'no-store' } }).withResponse();
  expect(anew.response.headers.get('x-brokle-cache')).toBe('DISABLED');
});
