import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { callsAnswered } from '../../lib/ai/records/calls-answered.ts';
import { createRecordOutbox, type RecordOutboxOptions } from '../../lib/ai/records/record-outbox.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { Envelope } from '../../lib/platform/events/envelope.ts';
import { silentLog } from '../../lib/platform/log.ts';
import type { Message } from '../../lib/platform/queue/queues.ts';
import { callRecord } from './call-records.ts';

const Body = Envelope.extend({ data: callsAnswered.schema });
const idsIn = (messages: readonly Message[]) =>
  messages.flatMap(({ body }) => Body.parse(JSON.parse(body)).data.records.map(({ request_id }) => request_id));
/** Waits are over at once. */
const hurried: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  sleep: (_ms, signal) => new Promise((done, stop) => setImmediate(() => (signal?.aborted ? stop(signal.reason) : done()))),
};

/** An outbox over a queue that refuses the first `refusals` sendings. */
function outboxOver({ refusals = 0, ...options }: { refusals?: number } & Partial<RecordOutboxOptions> = {}) {
  const sent: Message[][] = [];
  let left = refusals;
  const queue = {
    send: async (_queue: string, messages: readonly Message[]) => {
      sent.push([...messages]);
      return left-- > 0 ? messages.map(({ id }) => id) : [];
    },
  };
  return { sent, outbox: createRecordOutbox({ queues: queue, clock: hurried, log: silentLog, ...options }) };
}

test('records that gather within a moment leave in one message, in the form that the consumer reads', async () => {
  const { outbox, sent } = outboxOver();
  for (const id of ['a', 'b', 'c']) await outbox.add(callRecord({ request_id: id, user: '\uFFFE' }));
  await outbox.flush();
  expect(sent).toHaveLength(1);
  expect(idsIn(sent[0] ?? [])).toEqual(['a', 'b', 'c']);
  expect(sent[0]?.[0]?.body).not.toMatch(/[\uFFFE\uFFFF]/);
});

test('a refused message stays in memory, and is sent again under the same id with the same records', async () => {
  const { outbox, sent } = outboxOver({ refusals: 2 });
  await outbox.add(callRecord());
  await outbox.flush();
  expect(sent).toHaveLength(3);
  expect(new Set(sent.flat().map(({ id, body }) => id + body)).size).toBe(1);
  expect(outbox.state()).toMatchObject({ status: 'ok', waiting: 0, waiting_bytes: 0 });
});

test('a queue that throws is like one that refuses', async () => {
  let calls = 0;
  const queues = { send: async () => (calls++ === 0 ? Promise.reject(new Error('no network')) : []) };
  const { outbox } = outboxOver({ queues });
  await outbox.add(callRecord());
  await outbox.flush();
  expect(outbox.state().waiting).toBe(0);
});

test('while the bound is reached, calls wait for room, the state is degraded, and no record is lost', async () => {
  let accept: (() => void) | undefined;
  const arrived: string[] = [];
  const queues = {
    send: async (_queue: string, messages: readonly Message[]) => {
      await new Promise<void>((resolve) => (accept = resolve));
      arrived.push(...idsIn(messages));
      return [];
    },
  };
  const { outbox } = outboxOver({ queues, boundBytes: 1_000 });
  await outbox.add(callRecord({ request_id: 'first' }));
  let second = 'waits';
  const adding = outbox.add(callRecord({ request_id: 'second' })).then(() => (second = 'is in'));
  await new Promise((turn) => setImmediate(turn));
  expect({ second, ...outbox.state() }).toMatchObject({ second: 'waits', status: 'degraded', waiting: 1 });
  accept?.();
  await adding;
  const flushed = outbox.flush();
  await new Promise((turn) => setImmediate(turn));
  accept?.();
  await flushed;
  expect(arrived).toEqual(['first', 'second']);
});

test('a record larger than a message goes without its payload and says so', async () => {
  const { outbox, sent } = outboxOver();
  await outbox.add(callRecord({ payload: { sealed: 'x'.repeat(300_000), truncated: false } }));
  await outbox.flush();
  expect(z.array(Body).parse((sent[0] ?? []).map(({ body }) => JSON.parse(body)))[0]?.data.records[0]?.payload).toEqual({
    sealed: '',
    truncated: true,
  });
});

test('messages that the queue refuses for what they contain hold up none of the others', async () => {
  const arrived: string[] = [];
  let heals = false;
  const queues = {
    async send(_queue: string, messages: readonly Message[]) {
      const refused = messages.filter((message) => !heals && idsIn([message]).some((id) => id.startsWith('bad')));
      arrived.push(...idsIn(messages.filter((message) => !refused.includes(message))));
      return refused.map(({ id }) => id);
    },
  };
  const { outbox } = outboxOver({ queues });
  // Each record fills a message of its own, and a sending has ten messages.
  const payload = { sealed: 'x'.repeat(200_000), truncated: false };
  for (let n = 0; n < 12; n++) await outbox.add(callRecord({ request_id: `bad ${n}`, payload }));
  for (let n = 0; n < 5; n++) await outbox.add(callRecord({ request_id: `good ${n}`, payload }));
  const flushed = outbox.flush();
  for (let turn = 0; turn < 20 && arrived.length < 5; turn++) await new Promise((done) => setImmediate(done));
  const [before, state] = [[...arrived], outbox.state()];
  heals = true;
  await flushed;
  expect(before).toEqual(['good 0', 'good 1', 'good 2', 'good 3', 'good 4']);
  expect(state).toMatchObject({ status: 'degraded', waiting: 12 });
  expect(arrived).toHaveLength(17);
});

test('where the process may be frozen, a record has left when its call is answered', async () => {
  const { outbox, sent } = outboxOver({ gatherMs: 0 });
  await outbox.add(callRecord());
  expect(idsIn(sent.flat())).toHaveLength(1);
});

test('where the process may be frozen, a queue that refuses holds up no answer for longer than a limit, and the record goes later', async () => {
  const { outbox, sent } = outboxOver({ gatherMs: 0, refusals: 3 });
  await outbox.add(callRecord());
  expect(outbox.state().waiting).toBe(1);
  await outbox.flush();
  expect([sent.length, outbox.state().waiting]).toEqual([4, 0]);
});

test('records are compressed where that makes the message shorter, and every message fits into the queue', async () => {
  const { outbox, sent } = outboxOver();
  for (let number = 0; number < 20; number++) await outbox.add(callRecord({ request_id: `alike-${number}` }));
  await outbox.flush();
  // Random characters get longer by compression, because the result is written as base64.
  const printable = Array.from({ length: 91 }, (_, place) => String.fromCharCode(0x23 + place + (place < 57 ? 0 : 1)));
  const sealed = Array.from(randomBytes(243_000), (byte) => printable[byte % printable.length]).join('');
  await outbox.add(callRecord({ request_id: 'random', payload: { sealed, truncated: false } }));
  await outbox.flush();
  const [alike, random] = sent.flat();
  expect(alike?.body.length).toBeLessThan(JSON.stringify(callRecord()).length * 5);
  expect(random?.body.length).toBeLessThan(256 * 1024);
  expect(idsIn(sent.flat())).toHaveLength(21);
});

test.each([
  ['no gzip', Buffer.from('no gzip')],
  ['no JSON', gzipSync('no JSON')],
  ['no records', gzipSync('[]')],
  ['a record that is mostly space', gzipSync(`[${JSON.stringify(callRecord())}${' '.repeat(20_000_000)}]`)],
])('a message with %s is malformed', (_what, bytes) => {
  expect(callsAnswered.schema.safeParse({ gzip: bytes.toString('base64') }).success).toBe(false);
});
