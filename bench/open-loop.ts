/** Calls at a steady rate, whether earlier calls have been answered or not, as the agents of a fleet do. Returns the number of calls. */
export async function runOpenLoop(perSecond: number, seconds: number, call: (n: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  const calls: Promise<unknown>[] = [];
  const count = Math.round(perSecond * seconds);
  while (calls.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1_000) * perSecond) + 1);
    while (calls.length < due) calls.push(call(calls.length));
    const nextMs = started + (calls.length * 1_000) / perSecond - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs)));
  }
  await Promise.all(calls);
  return count;
}
