/**
 * Runs `work` for each item, at most `atOnce` side by side. A failure does not stop the others; the first failure is thrown at the end.
 */
export async function eachBounded<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  const left = [...items].values();
  const worker = async () => {
    for (const item of left) await work(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}
