import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { messageQueues } from '../../functions/message-queues.ts';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

const clientOf = (host: TestHost, { key }: ProjectKey) => new OpenAI({ apiKey: key, baseURL: `${host.url}/v1`, maxRetries: 0 });
const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }] };
const logged = async (host: TestHost, { project_id }: ProjectKey) => {
  const pages = await Promise.all(callPks(project_id).map((pk) => host.app.services.database.query(callLogTable.name, { pk })));
  return pages.flatMap(({ items }) => items);
};

test('a server that is stopped in the middle of calls loses none of their records', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'records-'));
  let host = await startTestHost({ dataDir });
  const key = await newProjectKey(host);
  const openai = clientOf(host, key);
  const texts = await Promise.all(Array.from({ length: 40 }, async () => (await openai.chat.completions.create(ask)).id));
  const streams = Array.from({ length: 16 }, async () => {
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  });
  const stopped = host.stop();
  const ended = await Promise.allSettled(streams);
  await stopped;
  const answered = texts.length + ended.filter(({ status }) => status === 'fulfilled').length;
  host = await startTestHost({ dataDir });
  await eventually(async () => expect((await logged(host, key)).length).toBeGreaterThanOrEqual(answered), 30_000);
  await host.stop();
  await rm(dataDir, { recursive: true });
}, 90_000);

test('while the queue refuses, calls are answered, readiness says degraded, and everything is stored afterwards', async () => {
  const host = await startTestHost();
  const key = await newProjectKey(host);
  const openai = clientOf(host, key);
  await openai.chat.completions.create(ask);
  await eventually(async () => expect(await logged(host, key)).toHaveLength(1), 20_000);
  const { queues } = messageQueues();
  const send = queues.send;
  queues.send = async (_queue, messages) => messages.map(({ id }) => id);
  for (let n = 0; n < 5; n++) await openai.chat.completions.create(ask);
  await eventually(
    async () => expect((await host.root.get('/health/ready')).body).toEqual({ status: 'degraded', call_records_waiting: 5 }),
    20_000,
  );
  expect((await host.root.get('/metrics')).text).toContain('brokkr_call_records_waiting 5');
  queues.send = send;
  await eventually(async () => expect(await logged(host, key)).toHaveLength(6), 20_000);
  await eventually(async () => expect((await host.root.get('/health/ready')).body).toEqual({ status: 'ready' }), 20_000);
  await host.stop();
}, 90_000);
