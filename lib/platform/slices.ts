/** Work on many items takes this long at a time, then others have their turn. */
const SLICE_MS = 5;

/** Lets everything run that waits for the event loop. */
export const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** `items.map(map)` that never holds the event loop for long, however many items there are. */
export async function mapInSlices<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  const mapped: R[] = [];
  let started = performance.now();
  for (const item of items) {
    if (performance.now() - started > SLICE_MS) {
      await yieldToOthers();
      started = performance.now();
    }
    mapped.push(map(item));
  }
  return mapped;
}
