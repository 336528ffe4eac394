import { newToken } from '../../platform/ids.ts';

/**
 * An agent's revision moves with everything that may change what the agent should run. It is an opaque random token: a counter in a
 * restored table would repeat numbers that agents already hold, and these agents would miss the changes.
 *
 * The agent's record remembers its latest moves, newest first, each with the stack that it concerns, or `*` if it may concern any stack.
 * A move shifts the attributes by one, so it needs no read and no condition.
 */
const REMEMBERED_MOVES = 8;
const ANY_STACK = '*';
const slots = Array.from({ length: REMEMBERED_MOVES }, (_, n) => `move_${n}`);

export const newRevision = newToken;

/** Returns the part of an update of the agent's record that moves the revision. */
export function revisionMove(stackId = ANY_STACK): { set: Record<string, string>; copy: Record<string, string> } {
  const revision = newRevision();
  const copy = Object.fromEntries(slots.slice(1).map((slot, n) => [slot, `move_${n}`]));
  return { set: { revision, move_0: `${revision} ${stackId}` }, copy };
}

/**
 * Returns the stacks that the changes since `revision` concern. Undefined if this is not known: the revision is older than the
 * remembered moves, it comes from a table before a restore, or a change concerned the agent itself.
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
