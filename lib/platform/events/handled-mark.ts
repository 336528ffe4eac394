import type { Write } from '../database/database.ts';
import { handledItem } from './work-table.ts';

/** An earlier delivery of the same event had its effect: nothing is left to do. */
export class AlreadyHandled extends Error {
  override name = 'AlreadyHandled';
}

/**
 * Goes into the transaction of an effect that must not happen twice. A second delivery of the event fails there as a whole, and is
 * taken for done by its queue.
 */
export const handledMark = (table: string, { queue, eventId, nowMs }: { queue: string; eventId: string; nowMs: number }): Write => ({
  table,
  put: handledItem(queue, eventId, nowMs),
  if: { exists: false },
  orElse: () => new AlreadyHandled(`${queue} has handled the event ${eventId} before`),
});
