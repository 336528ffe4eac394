import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/platform/clock.ts';

export const CONFIRM_ANNOTATION = 'brokkr.io/confirm-deletion';

export type Verdict = { held: false } | { held: true; message: string };

/**
 * Stands before every deletion. What a cycle is going to delete is announced first; more than ten objects and more than half of all
 * this agent owns waits until someone confirms it on the agent's record.
 */
export interface DeletionGuard {
  /** What a stack's newest assignment is going to delete. `what` tells assignments of the same stack apart. */
  announce(stackId: string, what: string, objects: number): void;
  /** Nothing passes until the announcements of a cycle are complete. */
  announcing(complete: Promise<unknown>): void;
  /** `objects` counts where nothing was announced for the stack. */
  ask(stackId: string, objects: number): Promise<Verdict>;
  done(stackId: string): void;
}

interface GuardOptions {
  mode: 'hold' | 'allow';
  clock: Clock;
  /** How many objects are in all inventories. */
  owned: () => number;
  /** The value of the agent's annotation. May reject. */
  confirmation: () => Promise<string | undefined>;
}

const ALWAYS_ALLOWED = 10;
const ASK_AGAIN_MS = 5_000;

export function createDeletionGuard({ mode, clock, owned, confirmation }: GuardOptions): DeletionGuard {
  const planned = new Map<string, { what: string; objects: number; confirmed: boolean }>();
  let announced: Promise<unknown> = Promise.resolve();
  let read: { atMs: number; value: Promise<string | undefined> } | undefined;

  const confirmedValue = () => {
    const now = clock.monotonicMs();
    if (!read || now - read.atMs >= ASK_AGAIN_MS) read = { atMs: now, value: confirmation().catch(() => undefined) };
    return read.value;
  };

  return {
    announce(stackId, what, objects) {
      if (objects === 0) planned.delete(stackId);
      else if (planned.get(stackId)?.what !== what) planned.set(stackId, { what, objects, confirmed: false });
    },
    announcing(complete) {
      announced = Promise.allSettled([announced, complete]);
    },
    async ask(stackId, objects) {
      await announced;
      if (!planned.has(stackId)) planned.set(stackId, { what: '', objects, confirmed: false });
      if (mode === 'allow' || planned.get(stackId)?.confirmed) return { held: false };
      const waiting = [...planned].filter(([, { confirmed }]) => !confirmed);
      const total = waiting.reduce((sum, [, item]) => sum + item.objects, 0);
      const all = owned();
      if (total <= ALWAYS_ALLOWED || total <= all / 2) return { held: false };
      const fingerprint = fingerprintOf(waiting.map(([id, { what, objects: count }]) => `${id} ${what} ${count}`));
      if ((await confirmedValue()) === fingerprint) {
        for (const [, item] of waiting) item.confirmed = true;
        return { held: false };
      }
      return {
        held: true,
        message: `held: this would delete ${total} of the ${all} objects this agent owns. To confirm, set the agent's annotation ${CONFIRM_ANNOTATION} to ${fingerprint}`,
      };
    },
    done(stackId) {
      planned.delete(stackId);
    },
  };
}

const fingerprintOf = (lines: readonly string[]): string =>
  createHash('sha256')
    .update([...lines].sort().join('\n'))
    .digest('hex')
    .slice(0, 10);
