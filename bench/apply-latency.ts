import { randomFraction } from '../lib/platform/ids.ts';
import { startAgentRig } from './agent-rig.ts';
import { configMaps } from './bench-fleet.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const POSTS = 100;
const INTERVAL_MS = 1_000;

/** From the POST of a small stack's next state to the agent's SUCCESS report, on a real API server, polling once a second. */
export async function applyLatency(): Promise<BenchTable> {
  const rig = await startAgentRig({ pollingIntervalMs: INTERVAL_MS });
  try {
    const stack = await rig.createStack('latency');
    const times: number[] = [];
    for (let n = -3; n < POSTS; n++) {
      // At any point of the agent's interval, as users post.
      await new Promise((resolve) => setTimeout(resolve, randomFraction() * INTERVAL_MS));
      const started = performance.now();
      const { atMs, status, message } = await rig.reported(await rig.submit(stack, configMaps(1, 'latency', 'default', `post-${n}`)));
      if (status !== 'SUCCESS') throw new Error(`post ${n} failed: ${message}`);
      if (n >= 0) times.push(atMs - started);
    }
    return {
      title: 'POST to applied',
      about: `${POSTS} posts of one ConfigMap at random moments, the agent polling every ${INTERVAL_MS} ms, until its SUCCESS report is stored. On Brokkr 0.9.1: p50 520 ms, p99 1,013 ms to the object alone.`,
      columns: ['p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
      rows: [
        [percentile(times, 0.5), percentile(times, 0.9), percentile(times, 0.99), Math.max(...times)].map((value) => rounded(value, 0)),
      ],
    };
  } finally {
    await rig.stop();
  }
}
