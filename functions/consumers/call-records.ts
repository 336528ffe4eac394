import { CALL_RECORDS_QUEUE, callsAnswered } from '../../lib/ai/records/calls-answered.ts';
import { type CallRecordPorts, handleCalls } from '../../lib/ai/records/handle-calls.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';

/** Stores and counts the calls that are over. */
export const callRecords = consumerFor<CallRecordPorts>()({
  queue: CALL_RECORDS_QUEUE,
  events: [callsAnswered],
  handle: (services, { id, data }) => handleCalls(services, { id, records: data.records }),
});
