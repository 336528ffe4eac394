import { randomFraction } from './ids.ts';

/**
 * A map that keeps at most `capacity` entries. A new entry takes the place of a random one. A cache that dropped its oldest entry
 * would find nothing any more as soon as one key too many is asked for in turn; this one loses hits in proportion to the keys that
 * don't fit.
 */
export interface BoundedCache<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  entries(): Iterable<[string, T]>;
}

interface Slot<T> {
  key: string;
  value: T;
}

export function createBoundedCache<T>(capacity: number, random: () => number = randomFraction): BoundedCache<T> {
  const slots: Slot<T>[] = [];
  const places = new Map<string, number>();

  const put = (at: number, slot: Slot<T>) => {
    slots[at] = slot;
    places.set(slot.key, at);
  };
  const drop = (key: string) => {
    const at = places.get(key);
    const last = slots.at(-1);
    if (at === undefined || last === undefined) return;
    // The last entry fills the gap, so that every index below the length holds one.
    put(at, last);
    slots.pop();
    places.delete(key);
  };

  return {
    get: (key) => slots[places.get(key) ?? -1]?.value,
    set(key, value) {
      if (!places.has(key) && slots.length >= capacity) {
        const victim = slots[Math.floor(random() * slots.length)];
        if (victim) drop(victim.key);
      }
      put(places.get(key) ?? slots.length, { key, value });
    },
    delete: drop,
    entries: () => slots.map(({ key, value }): [string, T] => [key, value]),
  };
}
