import type { CallRecordPorts } from '../../lib/ai/records/handle-calls.ts';
import { createKeyUse } from '../../lib/identity/api-keys/key-use.ts';
import type { BatchPorts } from '../../lib/platform/events/consumer.ts';
import { messageQueues } from '../message-queues.ts';
import { oncePerRuntime, type Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** What the consumer of call records works with. Nothing of the fleet is in it. */
export const callRecordsServices = oncePerRuntime((runtime: Runtime): BatchPorts & { services: CallRecordPorts } => {
  const { clock, config, log } = runtime;
  const { database } = store(runtime);
  const { queues } = messageQueues(runtime);
  return {
    log,
    services: {
      database,
      clock,
      retentionDays: config.BROKKR_EVENT_RETENTION_DAYS,
      noteKeyUse: createKeyUse({ database, clock }),
    },
    async moveToDeadLetterQueue(queue, { id, body }, reason) {
      const refused = await queues.send(`${queue}-dead`, [{ id, body }]);
      if (refused.length > 0) throw reason;
    },
  };
});
