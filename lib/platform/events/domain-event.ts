import type * as z from 'zod';

/** Something that happened and that consumers may act on. The name is API: never rename one. */
export interface DomainEvent<T> {
  name: string;
  schema: z.ZodType<T>;
}
export const defineEvent = <T>(event: DomainEvent<T>): DomainEvent<T> => event;

/** One occurrence, on its way through the outbox. */
export interface Occurrence<T = unknown> {
  event: DomainEvent<T>;
  data: T;
  /** No consumer gets it before this time, in milliseconds; at once if absent. */
  notBeforeMs?: number;
}
export const occurrence = <T>(event: DomainEvent<T>, data: T, notBeforeMs?: number): Occurrence<T> => ({
  event,
  data,
  ...(notBeforeMs !== undefined && { notBeforeMs }),
});
