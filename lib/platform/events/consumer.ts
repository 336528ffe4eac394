import * as z from 'zod';
import type { Log } from '../log.ts';
import type { DomainEvent } from './domain-event.ts';

export interface Delivery {
  id: string;
  body: string;
  /** 1 at the first. */
  attempt: number;
}

/** One queue's worth of work. A message is delivered at least once, in no order: `handle` must bear both. */
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

/** Thrown by a handler when trying again cannot help: the message is set aside at once. */
export class Rejected extends Error {
  override name = 'Rejected';
}

export interface BatchPorts {
  log: Log;
  /** Sets a message aside where people look: the dead-letter queue. */
  bury(queue: string, delivery: Delivery, why: Rejected): Promise<void>;
}

/** What travels through a queue. */
export const Envelope = z.object({ id: z.string(), event: z.string(), data: z.unknown() });
export type Envelope = z.infer<typeof Envelope>;

/** Runs one batch, messages side by side, and names the deliveries to try again: one bad message never holds up the others. */
export async function consumeBatch<Services, T>(
  consumer: Consumer<Services, T>,
  services: Services,
  deliveries: readonly Delivery[],
  ports: BatchPorts,
): Promise<string[]> {
  const outcomes = await Promise.all(deliveries.map((delivery) => consumeOne(consumer, services, delivery, ports)));
  return deliveries.filter((_delivery, at) => !outcomes[at]).map((delivery) => delivery.id);
}

async function consumeOne<Services, T>(consumer: Consumer<Services, T>, services: Services, delivery: Delivery, ports: BatchPorts) {
  const { log } = ports;
  try {
    await consumer.handle(services, decode(consumer, delivery), delivery);
    return true;
  } catch (error) {
    if (error instanceof Rejected) return bury(consumer.queue, error, delivery, ports);
    log.warn('delivery_failed', { queue: consumer.queue, delivery_id: delivery.id, attempt: delivery.attempt, error });
    return false;
  }
}

async function bury(queue: string, error: Rejected, delivery: Delivery, { log, bury: setAside }: BatchPorts): Promise<boolean> {
  log.error('delivery_rejected', { queue, delivery_id: delivery.id, error });
  try {
    await setAside(queue, delivery, error);
    return true;
  } catch (cause) {
    // Not set aside, so not done: it stays in its queue, whose redrive policy ends there too.
    log.error('bury_failed', { delivery_id: delivery.id, error: cause });
    return false;
  }
}

function decode<Services, T>(consumer: Consumer<Services, T>, delivery: Delivery): { id: string; name: string; data: T } {
  try {
    const { id, event: name, data } = Envelope.parse(JSON.parse(delivery.body));
    const event = consumer.events.find((candidate) => candidate.name === name);
    if (!event) throw new Error(`the queue ${consumer.queue} takes no ${name}`);
    return { id, name, data: event.schema.parse(data) };
  } catch (cause) {
    throw new Rejected(`not a message for the queue ${consumer.queue}`, { cause });
  }
}
