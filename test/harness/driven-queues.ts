import { queueGroups } from '../../functions/registry.ts';
import { outboxSweep } from '../../functions/schedules/outbox-sweep.ts';
import type { Services } from '../../functions/services.ts';
import { type AnyConsumer, consumeBatch } from '../../lib/platform/events/consumer.ts';

export interface QueuedMessage {
  queue: string;
  id: string;
  body: string;
  /** When the message may be delivered, by the host's clock. */
  atMs: number;
}

export interface DrivenQueues {
  /** The messages that were sent and are not delivered yet, oldest first. */
  messages: QueuedMessage[];
  /** Delivers one message. Returns false if its consumer failed. */
  deliver(message: QueuedMessage): Promise<boolean>;
  /** Delivers until no message is left that may be delivered now. A failed message is delivered again. Returns the number of deliveries. */
  drain(): Promise<number>;
  /** Sweeps the outbox. Its events are due if the host's clock has moved far enough. */
  sweep(): Promise<void>;
}

/** Queues whose messages the test delivers itself, for a host without consumers. `handlers` replace the handlers of consumers. */
export function driveQueues(services: Services, handlers: Record<string, AnyConsumer['handle']> = {}): DrivenQueues {
  const messages: QueuedMessage[] = [];
  services.outbox.queues.send = async (queue, sent) => {
    const nowMs = services.clock.nowMs();
    messages.push(...sent.map(({ id, body, delaySeconds = 0 }) => ({ queue, id, body, atMs: nowMs + delaySeconds * 1_000 })));
    return [];
  };
  const takeNext = (): QueuedMessage | undefined => {
    const index = messages.findIndex(({ atMs }) => atMs <= services.clock.nowMs());
    return index < 0 ? undefined : messages.splice(index, 1)[0];
  };
  const deliver = async ({ queue, id, body }: QueuedMessage): Promise<boolean> => {
    const group = queueGroups.find(({ consumer }) => consumer.queue === queue);
    if (!group) throw new Error(`no consumer of ${queue}`);
    const consumer: AnyConsumer = { ...group.consumer, handle: handlers[queue] ?? group.consumer.handle };
    let done = false;
    await consumeBatch(consumer, services, [{ id, body, attempt: 1 }], {
      log: services.log,
      onDone: () => {
        done = true;
      },
      moveToDeadLetterQueue: () => Promise.reject(new Error(`${queue}: rejected ${body}`)),
    });
    return done;
  };
  return {
    messages,
    deliver,
    async drain() {
      let deliveries = 0;
      for (let message = takeNext(); message; message = takeNext()) {
        deliveries += 1;
        if (deliveries > 1_000) throw new Error('the queues never become empty');
        if (!(await deliver(message))) messages.push(message);
      }
      return deliveries;
    },
    sweep: () => outboxSweep.run(services),
  };
}
