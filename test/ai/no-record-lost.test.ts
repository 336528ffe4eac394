import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { messageQueues } from '../../functions/message-queues.ts';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import { organizationKey } from '../../lib/identity/accounts/accounts-table.ts';
import { identityTable } from '../../lib/identity/identity-table.ts';
import { eventually } from '../database/test-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { startHostProcess } from '../harness/host-process.ts';
import { newProjectKey, type ProjectKey } from './project-key.ts';

const clientOf = (host: TestHost, { key }: ProjectKey) => new OpenAI({ apiKey: key, baseURL: `${host.url}/v1`, maxRetries: 0 });
const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }] };
const logged = async (host: TestHost, { project_id }: ProjectKey) => {
  const pages = await Promise.all(callPks(project_id).map((pk) => host.app.services.database.query(callLogTable.name, { pk })));
  return pages.flatMap(({ items }) => items);
};

/** A data folder with an organization that may call as often as it likes, and a key of it. */
async function preparedFolder(): Promise<{ dataDir: string; key: ProjectKey; removeFolder(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'records-'));
  const host = await startTestHost({ dataDir });
  const key = await newProjectKey(host);
  const unlimited = { plan: 'enterprise', requests_per_minute: 1_000_000 };
  await host.app.services.database.write({
    table: identityTable.name,
    update: organizationKey(key.account.organizationId),
    set: unlimited,
  });
  await host.stop();
  return { dataDir, key, removeFolder: () => rm(dataDir, { recursive: true }) };
}

/** Sends 936 whole calls and opens 64 streams; resolves when all streams have begun. `ended` resolves when all are over. */
async function callsUnderWay(openai: OpenAI) {
  const ids: string[] = [];
  let left = 936;
  const caller = async () => {
    while (left-- > 0) ids.push((await openai.chat.completions.create(ask)).id);
  };
  await Promise.all(Array.from({ length: 32 }, caller));
  const slow = { ...ask, model: 'simulated/count-30-pace-100', stream: true as const };
  const begun = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const chunks = (await openai.chat.completions.create(slow))[Symbol.asyncIterator]();
      await chunks.next();
      return chunks;
    }),
  );
  const read = async (chunks: (typeof begun)[number]) => {
    for (;;) if ((await chunks.next()).done) return;
  };
  // Records gather for half a second before they leave.
  for (const chunks of begun) for (let n = 0; n < 10; n++) await chunks.next();
  return { answered: ids.length, ended: Promise.allSettled(begun.map(read)) };
}

test('a server that is told to stop in the middle of 1,000 calls finishes its 64 streams and loses no record', async () => {
  const { dataDir, key, removeFolder } = await preparedFolder();
  const server = await startHostProcess({ dataDir });
  const { answered, ended } = await callsUnderWay(new OpenAI({ apiKey: key.key, baseURL: `${server.url}/v1`, maxRetries: 0 }));
  server.kill('SIGTERM');
  expect((await ended).filter(({ status }) => status === 'fulfilled')).toHaveLength(64);
  expect(await server.ended).toMatchObject({ code: 0 });
  const host = await startTestHost({ dataDir });
  await eventually(async () => expect(await logged(host, key)).toHaveLength(answered + 64), 60_000);
  await host.stop();
  await removeFolder();
}, 120_000);

test('a server that is killed loses at most the records of its last half second', async () => {
  const { dataDir, key, removeFolder } = await preparedFolder();
  const server = await startHostProcess({ dataDir });
  const { answered, ended } = await callsUnderWay(new OpenAI({ apiKey: key.key, baseURL: `${server.url}/v1`, maxRetries: 0 }));
  server.kill('SIGKILL');
  await server.ended;
  // A stream that was cut is an error for the client, never an end.
  expect((await ended).filter(({ status }) => status === 'fulfilled')).toHaveLength(0);
  const host = await startTestHost({ dataDir });
  // The streams had not ended, and what was answered before them had left the process. On a busy machine a consumer may have died with
  // messages in its hands, which the queue gives out again after three minutes.
  await eventually(async () => expect((await logged(host, key)).length).toBeGreaterThanOrEqual(answered), 240_000);
  expect(await logged(host, key)).toHaveLength(answered);
  await host.stop();
  await removeFolder();
}, 360_000);

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
