import { randomFraction } from './ids.ts';

/**
 * A map that keeps at most `capacity` entries. In a full map a new entry replaces a random one. If it replaced the oldest one, a round
 * of reads over one key too many would never hit; a random choice loses hits in proportion to the keys that don't fit.
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

  const put = (index: number, slot: Slot<T>) => {
    slots[index] = slot;
    places.set(slot.key, index);
  };
  const drop = (key: string) => {
    const index = places.get(key);
    const last = slots.at(-1);
    if (index === undefined || last === undefined) return;
    // The last entry fills the gap, so that the slots have no holes.
    put(index, last);
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
