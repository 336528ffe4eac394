import { setTimeout as sleep } from 'node:timers/promises';
import { startAgentRig } from './agent-rig.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const POSTS = 50;
const INTERVAL_MS = 1_000;
const GIVE_UP_MS = 60_000;
/** The multiples of this number, modulo one, spread posts evenly over the interval in no order, as users post at any time. */
const GOLDEN = 0.618_033_988_749_895;

/** The time from the POST of a work order to its Job in a real API server. */
export async function orderLatency(): Promise<BenchTable> {
  const rig = await startAgentRig({ pollingIntervalMs: INTERVAL_MS });
  const times: number[] = [];
  try {
    for (let n = -3; n < POSTS; n++) {
      await sleep(INTERVAL_MS * ((GOLDEN * (n + 3)) % 1));
      const started = performance.now();
      const id = await rig.order(jobNamed(`order-${n + 3}`));
      const storedAtMs = await stored(`order-${n + 3}-${id.slice(-8)}-a1`, rig.storedAtMs);
      if (n >= 0) times.push(storedAtMs - started);
    }
  } finally {
    await rig.stop();
  }
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => rounded(percentile(times, share), 0));
  return {
    title: 'POST of a work order to its Job',
    about: `${POSTS} orders with one Job, spread over the interval of the agent, which polls every ${INTERVAL_MS} ms: the order is queued, dispatched, told by a poll, claimed and applied.`,
    columns: ['until', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    rows: [['the API server has stored the Job', p50 ?? '', p90 ?? '', p99 ?? '', rounded(Math.max(...times), 0)]],
  };
}

const jobNamed = (name: string): string =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: ${name}, namespace: default}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}}\n`;

async function stored(name: string, storedAtMs: (name: string) => number): Promise<number> {
  for (const giveUp = performance.now() + GIVE_UP_MS; performance.now() < giveUp; await sleep(2)) {
    const atMs = storedAtMs(name);
    if (!Number.isNaN(atMs)) return atMs;
  }
  throw new Error(`no Job ${name} after ${GIVE_UP_MS} ms`);
}
