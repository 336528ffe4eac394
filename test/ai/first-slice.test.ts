import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import { CallRecord } from '../../lib/ai/records/call-record.ts';
import { costOfRow } from '../../lib/ai/records/rollups/fold-records.ts';
import { rollupPk, rollupTable } from '../../lib/ai/records/rollups/rollup-table.ts';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

let host: TestHost;
let key: ProjectKey;
let openai: OpenAI;
beforeAll(async () => {
  host = await startTestHost();
  key = await newProjectKey(host);
  openai = new OpenAI({ apiKey: key.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(() => host.stop());

const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }] };

test('a user who has just registered gets a whole answer and a stream from the openai client', async () => {
  const answer = await openai.chat.completions.create(ask);
  expect(answer).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant' }, finish_reason: 'stop' }],
    brokle: { provider: 'simulated', attempts: 1 },
  });
  const stream = await openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
  let text = '';
  let usage: unknown;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  expect(text).toBe(answer.choices[0]?.message.content);
  expect(usage).toMatchObject({ prompt_tokens: expect.any(Number), completion_tokens: answer.usage?.completion_tokens });
});

test('each call leaves one record with its usage and cost, and is counted', async () => {
  const fresh = await newProjectKey(host);
  const client = new OpenAI({ apiKey: fresh.key, baseURL: `${host.url}/v1` });
  const costs: number[] = [];
  for (let n = 0; n < 3; n++) costs.push(Number(Object(await client.chat.completions.create(ask)).brokle.cost));
  const store = host.app.services.database;
  const records = async () => {
    const pages = await Promise.all(callPks(fresh.project_id).map((pk) => store.query(callLogTable.name, { pk })));
    return pages.flatMap(({ items }) => items.map(({ record }) => CallRecord.parse(JSON.parse(String(record)))));
  };
  await eventually(async () => expect(await records()).toHaveLength(3), 15_000);
  for (const record of await records())
    expect(record).toMatchObject({
      outcome: 'success',
      provider: 'simulated',
      operation: 'chat',
      api_key_id: fresh.id,
      usage: { prompt_tokens: expect.any(Number) },
    });
  const [row] = (await store.query(rollupTable.name, { pk: rollupPk(fresh.project_id, 'day', 'all') })).items;
  expect(row).toMatchObject({ requests: 3, outcome_success: 3 });
  expect(Number(costOfRow(row ?? {})) / 1e12).toBeCloseTo(
    costs.reduce((sum, cost) => sum + cost, 0),
    12,
  );
}, 30_000);

test('the answer’s headers name the request, its limits and its provider', async () => {
  const { response, data } = await openai.chat.completions.create(ask).withResponse();
  const header = (name: string) => response.headers.get(name);
  expect(header('x-request-id')).toBe(header('request-id'));
  expect(Object(data).brokle.request_id).toBe(header('x-request-id'));
  expect(header('x-request-id')).toMatch(/^req_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(header('x-brokle-provider')).toBe('simulated');
  expect(Number(header('x-ratelimit-remaining'))).toBeLessThan(Number(header('x-ratelimit-limit')));
  expect(header('x-ratelimit-limit-requests')).toBe(header('x-ratelimit-limit'));
  expect(header('x-ratelimit-reset-requests')).toMatch(/^(\d+h)?(\d+m)?[\d.]+m?s$/);
});
