import { createHash } from 'node:crypto';
import type { Clock } from '../../../lib/platform/clock.ts';
import { MESSAGES } from '../../operator-messages.ts';

export const CONFIRM_ANNOTATION = 'brokkr.io/confirm-deletion';

export type Verdict = { held: false } | { held: true; message: string };

/**
 * Stands before every deletion. What a cycle is going to delete is announced first; more than ten objects and more than half of all
 * this agent owns waits until someone confirms it on the agent's record.
 */
export interface DeletionGuard {
  /** Notes how many objects a stack's newest assignment is going to delete. `what` tells assignments of the same stack apart. */
  announce(stackId: string, what: string, objects: number): void;
  /** Nothing passes until the announcements of a cycle are complete. The 50 % limit counts objects owned when this is called. */
  announcing(announcements: () => Promise<unknown>): void;
  /** The larger of `objects` and what was announced counts. What passed once passes until it is done, or is more than it was. */
  ask(stackId: string, objects: number): Promise<Verdict>;
  /** A Namespace or a definition takes objects along that no stack of this agent created: it waits for a confirmation of its own. */
  askForContents(stackId: string, container: { name: string; uid: string }, strangers: readonly string[]): Promise<Verdict>;
  done(stackId: string): void;
}

interface GuardOptions {
  mode: 'hold' | 'allow';
  clock: Clock;
  /** How many objects the agent owns, without those that are just being added. */
  owned: () => number;
  /** The value of the agent's annotation. May reject. */
  confirmation: () => Promise<string | undefined>;
}

interface Planned {
  what: string;
  objects: number;
  /** How many objects the agent owned before. */
  ownedBefore: number;
  passed: boolean;
}

const ALWAYS_ALLOWED = 10;
const ASK_AGAIN_MS = 5_000;

export function createDeletionGuard({ mode, clock, owned, confirmation }: GuardOptions): DeletionGuard {
  const planned = new Map<string, Planned>();
  let ownedBefore = 0;
  let announced: Promise<unknown> = Promise.resolve();
  let read: { atMs: number; value: Promise<string | undefined> } | undefined;

  const confirmedValue = () => {
    const now = clock.monotonicMs();
    if (!read || now - read.atMs >= ASK_AGAIN_MS) read = { atMs: now, value: confirmation().catch(() => undefined) };
    return read.value;
  };

  /** Several confirmations may stand beside each other. */
  const isConfirmed = async (fingerprint: string) => ((await confirmedValue()) ?? '').split(/[\s,]+/).includes(fingerprint);

  return {
    announce(stackId, what, objects) {
      if (objects === 0) planned.delete(stackId);
      else if (planned.get(stackId)?.what !== what) planned.set(stackId, { what, objects, ownedBefore, passed: false });
    },
    announcing(announcements) {
      ownedBefore = owned();
      announced = Promise.allSettled([announced, announcements()]);
    },
    async ask(stackId, objects) {
      await announced;
      const asked = planned.get(stackId) ?? { what: '', objects, ownedBefore: owned(), passed: false };
      planned.set(stackId, asked);
      if (objects > asked.objects) Object.assign(asked, { objects, passed: false });
      if (mode === 'allow' || asked.passed) return { held: false };
      const waiting = [...planned].filter(([, { passed }]) => !passed);
      const total = waiting.reduce((sum, [, item]) => sum + item.objects, 0);
      const all = Math.min(owned(), ...waiting.map(([, item]) => item.ownedBefore));
      if (total <= ALWAYS_ALLOWED || total <= all / 2) {
        asked.passed = true;
        return { held: false };
      }
      const fingerprint = fingerprintOf(waiting.map(([id, { what, objects: count }]) => `${id} ${what} ${count}`));
      if (await isConfirmed(fingerprint)) {
        for (const [, item] of waiting) item.passed = true;
        return { held: false };
      }
      return {
        held: true,
        message: MESSAGES.massDeletion(total, all, CONFIRM_ANNOTATION, fingerprint),
      };
    },
    async askForContents(stackId, { name, uid }, strangers) {
      const fingerprint = fingerprintOf([`${stackId} ${uid}`]);
      if (mode === 'allow' || (await isConfirmed(fingerprint))) return { held: false };
      return {
        held: true,
        message: MESSAGES.strangersInside(name, strangers, CONFIRM_ANNOTATION, fingerprint),
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
