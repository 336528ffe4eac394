import { setTimeout as sleep } from 'node:timers/promises';
import { startAgentRig } from './agent-rig.ts';
import { configMaps } from './bench-fleet.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const POSTS = 100;
const INTERVAL_MS = 1_000;
/** The multiples of this number, modulo one, spread posts evenly over the interval in no order, as users post at any time. */
const GOLDEN = 0.618_033_988_749_895;

/** The time from the POST of a small stack's next state to the object in a real API server, and to the agent's SUCCESS report. */
export async function applyLatency(): Promise<BenchTable> {
  const rig = await startAgentRig({ pollingIntervalMs: INTERVAL_MS });
  const times = { object: [] as number[], report: [] as number[] };
  try {
    const stack = await rig.createStack('latency');
    for (let n = -3; n < POSTS; n++) {
      await sleep(INTERVAL_MS * ((GOLDEN * (n + 3)) % 1));
      const started = performance.now();
      const { atMs, status, message } = await rig.reported(await rig.submit(stack, configMaps(1, 'latency', 'default', `post-${n}`)));
      if (status !== 'SUCCESS') throw new Error(`post ${n} failed: ${message}`);
      if (n < 0) continue;
      times.object.push(rig.storedAtMs('latency-0') - started);
      times.report.push(atMs - started);
    }
  } finally {
    await rig.stop();
  }
  const row = (name: string, values: number[], brokkr: [string, string]) => {
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => rounded(percentile(values, share), 0));
    return [name, p50, p90, p99, rounded(Math.max(...values), 0), ...brokkr] as string[];
  };
  return {
    title: 'POST to applied',
    about: `${POSTS} posts of one ConfigMap, spread over the interval of the agent, which polls at least every ${INTERVAL_MS} ms.`,
    columns: ['until', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'Brokkr 0.9.1 p50', 'p99'],
    rows: [
      row('the API server has stored the object', times.object, ['520', '1,013']),
      row("the agent's SUCCESS report is stored", times.report, ['', '']),
    ],
  };
}
