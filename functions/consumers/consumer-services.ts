import type { BatchPorts } from '../../lib/platform/events/consumer.ts';
import { messageQueues } from '../message-queues.ts';
import { oncePerRuntime, type Runtime } from '../runtime.ts';
import { store } from '../store.ts';

/** What a consumer of the AI gateway works with, made once for each runtime. Nothing of the fleet is in it. */
export const consumerServices = <Services>(make: (of: ReturnType<typeof store>, runtime: Runtime) => Services) =>
  oncePerRuntime((runtime: Runtime): BatchPorts & { services: Services } => {
    const { queues } = messageQueues(runtime);
    return {
      log: runtime.log,
      services: make(store(runtime), runtime),
      async moveToDeadLetterQueue(queue, { id, body }, reason) {
        const refused = await queues.send(`${queue}-dead`, [{ id, body }]);
        if (refused.length > 0) throw reason;
      },
    };
  });
