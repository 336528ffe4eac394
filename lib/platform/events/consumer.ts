import type * as z from 'zod';
import type { Log } from '../log.ts';
import type { DomainEvent } from './domain-event.ts';
import { Envelope } from './envelope.ts';
import { AlreadyHandled } from './handled-mark.ts';

export interface Delivery {
  id: string;
  body: string;
  /** 1 for the first attempt. */
  attempt: number;
}

/**
 * The work of one queue. A message is delivered at least once, in no order; `handle` must cope with both. If its effect isn't
 * idempotent, it puts a `handledMark` into the effect's transaction.
 */
export interface Consumer<Services, T> {
  /** Names the function and, with the stage's prefix, the queue. */
  queue: string;
  /** The events the outbox relays to this queue. */
  events: readonly DomainEvent<T>[];
  handle(services: Services, event: { id: string; name: string; data: T }, delivery: Delivery): Promise<void>;
}
export const consumerFor =
  <Services>() =>
  <T>(consumer: Consumer<Services, T>): Consumer<Services, T> =>
    consumer;
// biome-ignore lint/suspicious/noExplicitAny: a list of consumers is heterogeneous by design
export type AnyConsumer = Consumer<any, any>;

/** Thrown by a handler if trying again can't help: the message goes to the dead-letter queue at once. */
export class Rejected extends Error {
  override name = 'Rejected';
}

export interface BatchPorts {
  log: Log;
  /** Moves a message to the queue that a person has to look at. Rejects with the reason if the message could not be moved. */
  moveToDeadLetterQueue(queue: string, delivery: Delivery, reason: Rejected): Promise<void>;
}

/** Handles the messages of one batch side by side, so that a bad one never holds up others. Calls `onDone` for each that is done. */
export async function consumeBatch<Services, T>(
  consumer: Consumer<Services, T>,
  services: Services,
  deliveries: readonly Delivery[],
  { onDone, ...ports }: BatchPorts & { onDone: (delivery: Delivery) => void },
): Promise<void> {
  await Promise.all(
    deliveries.map(async (delivery) => {
      if (await consumeOne(consumer, services, delivery, ports)) onDone(delivery);
    }),
  );
}

async function consumeOne<Services, T>(consumer: Consumer<Services, T>, services: Services, delivery: Delivery, ports: BatchPorts) {
  const { log } = ports;
  try {
    await consumer.handle(services, decode(consumer, delivery), delivery);
    return true;
  } catch (error) {
    if (error instanceof AlreadyHandled) return true;
    if (error instanceof Rejected) return reject(consumer.queue, error, delivery, ports);
    log.warn('delivery_failed', { queue: consumer.queue, delivery_id: delivery.id, attempt: delivery.attempt, error });
    return false;
  }
}

async function reject(queue: string, error: Rejected, delivery: Delivery, { log, moveToDeadLetterQueue }: BatchPorts): Promise<boolean> {
  log.error('delivery_rejected', { queue, delivery_id: delivery.id, error });
  try {
    await moveToDeadLetterQueue(queue, delivery, error);
    return true;
  } catch (cause) {
    // The message stays in its queue. After some attempts the queue's redrive policy moves it to the dead-letter queue.
    log.error('dead_letter_failed', { queue, delivery_id: delivery.id, error: cause });
    return false;
  }
}

/**
 * A malformed message is rejected. An event, or a kind of one, that this version doesn't know is an ordinary failure: during a
 * deployment another instance may know it, and otherwise it ends in the dead-letter queue after the last attempt.
 */
function decode<Services, T>({ queue, events }: Consumer<Services, T>, { body }: Delivery): { id: string; name: string; data: T } {
  const { id, event: name, data } = envelopeOf(body, queue);
  const event = events.find((candidate) => candidate.name === name);
  if (!event) throw new Error(`this version's consumer of ${queue} does not know the event ${name}`);
  const parsed = event.schema.safeParse(data);
  if (parsed.success) return { id, name, data: parsed.data };
  const kind = unknownKind(parsed.error, data);
  if (kind !== undefined) throw new Error(`this version's consumer of ${queue} does not know the kind ${kind} of ${name}`);
  throw new Rejected(`malformed data of the event ${name} for the queue ${queue}`, { cause: parsed.error });
}

function envelopeOf(body: string, queue: string): Envelope {
  try {
    return Envelope.parse(JSON.parse(body));
  } catch (cause) {
    throw new Rejected(`not an event for the queue ${queue}`, { cause });
  }
}

/** The kind for which the schema's discriminated union has no member; undefined if anything else is wrong with the data. */
function unknownKind(error: z.ZodError, data: unknown): string | undefined {
  const [issue] = error.issues;
  if (error.issues.length !== 1 || issue?.code !== 'invalid_union' || !('discriminator' in issue)) return undefined;
  const kind = issue.path.reduce<unknown>((value, member) => Object(value)[member], data);
  return typeof kind === 'string' ? kind : undefined;
}
