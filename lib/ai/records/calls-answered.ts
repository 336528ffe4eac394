import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { defineEvent } from '../../platform/events/domain-event.ts';
import { CallRecord } from './call-record.ts';

/** The queue of everything that is known about calls that are over. */
export const CALL_RECORDS_QUEUE = 'call-records';

/** Far above the records of one message. A longer text was not written by the gateway. */
const MOST_BYTES = 8 * 1024 * 1024;

const Records = z.object({ records: z.array(CallRecord).min(1) });
const Compressed = z.object({ gzip: z.base64() }).transform(({ gzip }, context) => {
  try {
    return { records: JSON.parse(gunzipSync(Buffer.from(gzip, 'base64'), { maxOutputLength: MOST_BYTES }).toString()) as unknown };
  } catch {
    context.addIssue({ code: 'custom', message: 'must be the compressed JSON of records' });
    return z.NEVER;
  }
});

/**
 * Calls that are over. A message carries as many records as have gathered, because one message for each call would cost more than the call.
 * The message's id belongs to exactly these records: it is what makes a second delivery harmless.
 */
export const callsAnswered = defineEvent({
  name: 'ai.calls_answered',
  schema: z.union([Compressed.pipe(Records), Records]),
});

/**
 * The data of the event, as JSON, for records that are JSON already. Records are alike: compressed, ten of them take a sixth of the space in
 * the queue, and the queue's client has less to write. Records with sealed payloads may not get shorter, and stay as they are.
 */
export function packRecords(records: readonly string[]): string {
  const list = `[${records.join(',')}]`;
  const gzip = gzipSync(list, { level: 1 }).toString('base64');
  return gzip.length < list.length ? `{"gzip":"${gzip}"}` : `{"records":${list}}`;
}
