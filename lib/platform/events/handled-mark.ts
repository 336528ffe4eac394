import type { Write } from '../database/database.ts';
import { handledItem } from './work-table.ts';

/** An earlier delivery of the same event has had its effect, so nothing is left to do. */
export class AlreadyHandled extends Error {
  override name = 'AlreadyHandled';
}

/**
 * A write for the transaction of an effect that must not happen twice. On a second delivery of the event the whole transaction fails,
 * and the message counts as handled.
 */
export const handledMark = (table: string, { queue, eventId, nowMs }: { queue: string; eventId: string; nowMs: number }): Write => ({
  table,
  put: handledItem(queue, eventId, nowMs),
  if: { exists: false },
  orElse: () => new AlreadyHandled(`${queue} has handled the event ${eventId} before`),
});
