import { startAgentRig } from './agent-rig.ts';
import { configMaps } from './bench-fleet.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const OBJECTS = 500;
const ROUNDS = 5;

/** A stack of 500 ConfigMaps, from the POST to the stored SUCCESS report, the agent woken at once. */
export async function largeStack(): Promise<BenchTable> {
  const rig = await startAgentRig({ pollingIntervalMs: 60_000 });
  const times = { first: [] as number[], changed: [] as number[], unchanged: [] as number[] };
  try {
    const apply = async (stack: string, yaml: string): Promise<number> => {
      const started = performance.now();
      const id = await rig.submit(stack, yaml);
      rig.agent.wake();
      const { atMs, status, message } = await rig.reported(id);
      if (status !== 'SUCCESS') throw new Error(`not applied: ${message}`);
      return atMs - started;
    };
    for (let round = 0; round < ROUNDS; round++) {
      await rig.kubernetes.kubectl(['create', 'namespace', `round-${round}`]);
      const stack = await rig.createStack(`large-${round}`);
      const yaml = (value: string) => configMaps(OBJECTS, 'large', `round-${round}`, value);
      times.first.push(await apply(stack, yaml('one')));
      times.changed.push(await apply(stack, yaml('two')));
      times.unchanged.push(await apply(stack, yaml('two')));
    }
  } finally {
    await rig.stop();
  }
  const row = (name: string, values: number[], brokkr: string) => [
    name,
    ...[Math.min(...values), percentile(values, 0.5), Math.max(...values)].map((value) => rounded(value, 0)),
    brokkr,
  ];
  return {
    title: `A stack of ${OBJECTS} objects`,
    about: `${ROUNDS} rounds, the agent asked to look right after the POST. Every object is dry-run on the server before any is applied.`,
    columns: ['what', 'min ms', 'median ms', 'max ms', 'Brokkr 0.9.1'],
    rows: [
      row('first apply', times.first, '2.3–4.1 s'),
      row('all objects changed', times.changed, '2.9–4.0 s'),
      row('the same again', times.unchanged, '2.8–3.0 s'),
    ],
  };
}
