import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { callRecords } from './call-records.ts';
import { callRecordsServices } from './call-records-services.ts';

export const handler = queueFunction(callRecords, async () => callRecordsServices());
