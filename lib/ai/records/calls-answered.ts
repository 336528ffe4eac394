import * as z from 'zod';
import { defineEvent } from '../../platform/events/domain-event.ts';
import { CallRecord } from './call-record.ts';

/** The queue of everything that is known about calls that are over. */
export const CALL_RECORDS_QUEUE = 'call-records';

/**
 * Calls that are over. A message carries as many records as have gathered, because one message for each call would cost more than the call.
 * The message's id belongs to exactly these records: it is what makes a second delivery harmless.
 */
export const callsAnswered = defineEvent({ name: 'ai.calls_answered', schema: z.object({ records: z.array(CallRecord).min(1) }) });
