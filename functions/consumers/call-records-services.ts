import type { CallRecordPorts } from '../../lib/ai/records/handle-calls.ts';
import { createKeyUse } from '../../lib/identity/api-keys/key-use.ts';
import { consumerServices } from './consumer-services.ts';

/** What the consumer of call records works with. */
export const callRecordsServices = consumerServices(
  ({ database }, { clock, config }): CallRecordPorts => ({
    database,
    clock,
    retentionDays: config.BROKKR_EVENT_RETENTION_DAYS,
    noteKeyUse: createKeyUse({ database, clock }),
  }),
);
