import type { Clock } from '../../platform/clock.ts';
import { encodeEnvelope, queueText } from '../../platform/events/envelope.ts';
import { newId } from '../../platform/ids.ts';
import type { Log } from '../../platform/log.ts';
import type { Queues } from '../../platform/queue/queues.ts';
import type { CallRecord } from './call-record.ts';
import { CALL_RECORDS_QUEUE, callsAnswered, packRecords } from './calls-answered.ts';

export interface RecordOutboxOptions {
  queues: Queues;
  clock: Clock;
  log: Log;
  /** Records gather for this long before they are sent; 0 sends each at once. */
  gatherMs?: number;
  /** The most bytes of records that wait in memory. */
  boundBytes?: number;
}

/** The records of calls on their way to the queue. */
export interface RecordOutbox {
  /** Takes a record. Resolves at once, or, while the bound is reached, when there is room: calls slow down, and no record is dropped. */
  add(record: CallRecord): Promise<void>;
  /** Sends everything that waits. Resolves when the queue has confirmed all of it, or when `giveUp` is aborted. */
  flush(giveUp?: AbortSignal): Promise<void>;
  /** `degraded` while the queue refuses records. */
  state(): { status: 'ok' | 'degraded'; waiting: number; waiting_bytes: number };
}

/** Some way below SQS's limit of 256 KiB, for the envelope around the records. */
const MESSAGE_BYTES = 240 * 1024;
const GATHER_MS = 500;
const BOUND_BYTES = 32 * 1024 * 1024;
const RETRY_MS = 500;
/** An answer that may be the process's last act waits so long for the queue. The queue's client has tried several times by then. */
const CONFIRM_MS = 5_000;

interface Batch {
  id: string;
  records: string[];
  bytes: number;
}

/**
 * Gathers records into messages and sends them. A batch leaves memory only after the queue has confirmed it. It is sent again under the
 * same id with the same records, so that the consumer recognises a batch that had arrived although its confirmation was lost.
 */
export function createRecordOutbox(options: RecordOutboxOptions): RecordOutbox {
  const { queues, clock, log, gatherMs = GATHER_MS, boundBytes = BOUND_BYTES } = options;
  let gathering: Batch | undefined;
  const closed: Batch[] = [];
  let waiting = 0;
  let waitingBytes = 0;
  let refusals = 0;
  let sending: Promise<void> | undefined;
  let timer: AbortController | undefined;
  let roomWaiters: (() => void)[] = [];

  function put(record: CallRecord): void {
    const text = fitting(record);
    const bytes = Buffer.byteLength(text);
    if (gathering && gathering.bytes + bytes > MESSAGE_BYTES) close();
    gathering ??= { id: newId(), records: [], bytes: 0 };
    gathering.records.push(text);
    gathering.bytes += bytes + 1;
    waiting += 1;
    waitingBytes += bytes + 1;
  }

  function close(): void {
    if (gathering) closed.push(gathering);
    gathering = undefined;
  }

  function startTimer(): void {
    if (timer || sending) return;
    timer = new AbortController();
    clock.sleep(gatherMs, timer.signal).then(sendAll, () => {});
  }

  function sendAll(): Promise<void> {
    timer?.abort();
    timer = undefined;
    close();
    sending ??= send().finally(() => {
      sending = undefined;
      if (waiting > 0) startTimer();
    });
    return sending;
  }

  async function send(): Promise<void> {
    while (closed.length > 0) {
      const batches = closed.slice(0, 10);
      const refused = new Set(await queues.send(CALL_RECORDS_QUEUE, batches.map(messageOf)).catch(() => batches.map(({ id }) => id)));
      for (const batch of batches)
        if (refused.has(batch.id)) putBehind(batch);
        else confirm(batch);
      if (refused.size === 0) {
        refusals = 0;
        continue;
      }
      refusals += 1;
      log.error('call_records_refused', { batches: refused.size, records: waiting, refusals });
      await clock.sleep(RETRY_MS);
    }
  }

  /** What the queue refuses may be refused for what it contains, and must not hold up the others. */
  function putBehind(batch: Batch): void {
    closed.splice(closed.indexOf(batch), 1);
    closed.push(batch);
  }

  function confirm(batch: Batch): void {
    closed.splice(closed.indexOf(batch), 1);
    waiting -= batch.records.length;
    waitingBytes -= batch.bytes;
    if (waitingBytes < boundBytes) {
      for (const admit of roomWaiters) admit();
      roomWaiters = [];
    }
  }

  /** Resolves when the work is done, or when the time is over. */
  async function within(work: Promise<void>, ms: number): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, clock.sleep(ms, done.signal).catch(() => {})]);
    done.abort('done');
  }

  return {
    async add(record) {
      while (waitingBytes >= boundBytes) await new Promise<void>((resolve) => roomWaiters.push(resolve));
      put(record);
      if (gatherMs === 0) await within(sendAll(), CONFIRM_MS);
      else startTimer();
    },
    async flush(giveUp) {
      const given = new Promise<void>((resolve) => {
        if (giveUp?.aborted) resolve();
        giveUp?.addEventListener('abort', () => resolve(), { once: true });
      });
      while (waiting > 0 && !giveUp?.aborted) await Promise.race([sendAll(), given]);
    },
    state: () => ({ status: refusals > 0 || waitingBytes >= boundBytes ? 'degraded' : 'ok', waiting, waiting_bytes: waitingBytes }),
  };
}

/** The record as JSON that fits into a message. Without its payload it says so; a decision over very many candidates goes last. */
function fitting(record: CallRecord): string {
  const payload = record.payload && { sealed: '', truncated: true };
  let text = '';
  for (const shorter of [record, { ...record, payload }, { ...record, payload, decision: null }]) {
    text = queueText(JSON.stringify(shorter));
    if (Buffer.byteLength(text) <= MESSAGE_BYTES) break;
  }
  return text;
}

/** The records are JSON already, and are not parsed again. */
function messageOf({ id, records }: Batch): { id: string; body: string } {
  const body = encodeEnvelope({ id, event: callsAnswered.name, data: null });
  return { id, body: body.replace('"data":null', () => `"data":${packRecords(records)}`) };
}
