/** Work on many items holds the event loop for this long, then lets other work run. */
const SLICE_MS = 5;

/** Lets other work run that waits for the event loop. */
export const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** `items.map(map)` for any number of items, without holding the event loop for long. */
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
