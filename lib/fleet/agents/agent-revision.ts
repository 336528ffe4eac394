import { newToken } from '../../platform/ids.ts';

/**
 * An agent's revision moves with everything that may change what the agent should run. It is an opaque random token: a counter in a
 * restored table would repeat numbers that agents hold already, and they would sleep on what they know.
 *
 * The agent's record remembers its latest moves, newest first, each with the one stack it concerns, or with none if it may concern any.
 * A move shifts them by one attribute, so that it needs no read and no condition on what was there before.
 */
const REMEMBERED_MOVES = 8;
const ANY_STACK = '*';
const slots = Array.from({ length: REMEMBERED_MOVES }, (_, n) => `move_${n}`);

export const newRevision = newToken;

/** The part of an update of the agent's record that moves the revision. */
export function revisionMove(stackId = ANY_STACK): { set: Record<string, string>; copy: Record<string, string> } {
  const revision = newRevision();
  const copy = Object.fromEntries(slots.slice(1).map((slot, n) => [slot, `move_${n}`]));
  return { set: { revision, move_0: `${revision} ${stackId}` }, copy };
}

/**
 * The stacks that changes since `revision` concern; undefined if it can't be said: the revision is older than the remembered moves or
 * of another life of the table, or a change concerned the agent itself.
 */
export function stacksChangedSince(record: Readonly<Record<string, unknown>>, revision: string): string[] | undefined {
  const stackIds = new Set<string>();
  for (const slot of slots) {
    const [moved, stackId] = String(record[slot] ?? '').split(' ');
    if (moved === revision) return [...stackIds];
    if (stackId === undefined || stackId === ANY_STACK) return undefined;
    stackIds.add(stackId);
  }
  return undefined;
}
