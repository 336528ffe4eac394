import type { Manifest } from '../agent/cluster/cluster.ts';
import { type AgentRig, startAgentRig } from './agent-rig.ts';
import { inParallel } from './bench-client.ts';
import { configMaps } from './bench-fleet.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

const OBJECTS = 500;
const ROUNDS = 7;
/** The number of requests that the agent makes at a time. */
const AT_ONCE = 64;

/**
 * Measures a stack of 500 ConfigMaps, from the POST to the stored SUCCESS report, with an agent that polls at once. In the same rounds
 * it measures the bare dry runs and applies, since the time that the API server itself takes varies most.
 */
export async function largeStack(): Promise<BenchTable> {
  const rig = await startAgentRig({ pollingIntervalMs: 60_000 });
  const stack = { first: [] as number[], changed: [] as number[], unchanged: [] as number[] };
  const bare = { first: [] as number[], changed: [] as number[] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const namespace of [`stack-${round}`, `bare-${round}`]) await rig.kubernetes.kubectl(['create', 'namespace', namespace]);
      const stackId = await rig.createStack(`large-${round}`);
      const yaml = (value: string) => configMaps(OBJECTS, 'large', `stack-${round}`, value);
      bare.first.push(await applyBare(rig, `bare-${round}`, 'one'));
      stack.first.push(await applyStack(rig, stackId, yaml('one')));
      bare.changed.push(await applyBare(rig, `bare-${round}`, 'two'));
      stack.changed.push(await applyStack(rig, stackId, yaml('two')));
      stack.unchanged.push(await applyStack(rig, stackId, yaml('two')));
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
    about: `${ROUNDS} rounds, in which the agent polls right after the POST. Every object is dry-run on the server before any is applied. "Bare" are these calls alone, ${AT_ONCE} at once, in the same rounds: no agent could be faster on this machine. The aim: within 1.0 s, unchanged within 0.1 s.`,
    columns: ['change', 'min ms', 'median ms', 'max ms', 'Brokkr 0.9.1'],
    rows: [
      row('first apply', stack.first, '2.3–4.1 s'),
      row('bare', bare.first, ''),
      row('all objects changed', stack.changed, '2.9–4.0 s'),
      row('bare', bare.changed, ''),
      row('the same again', stack.unchanged, '2.8–3.0 s'),
    ],
  };
}

async function applyStack(rig: AgentRig, stackId: string, yaml: string): Promise<number> {
  const started = performance.now();
  const id = await rig.submit(stackId, yaml);
  rig.agent.wake();
  const { atMs, status, message } = await rig.reported(id);
  if (status !== 'SUCCESS') throw new Error(`not applied: ${message}`);
  return atMs - started;
}

/** Applies the objects without the agent, with as much metadata as the agent adds, so that they have the same size. */
async function applyBare({ cluster }: AgentRig, namespace: string, value: string): Promise<number> {
  const manifest = (n: number): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `bare-${n}`,
      namespace,
      labels: { 'example.com/owner': 'bench' },
      annotations: Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`example.com/${name}`, `${value}-${'0'.repeat(36)}`])),
    },
    data: { value, text: 'some text that makes it look like a real one' },
  });
  const started = performance.now();
  for (const dryRun of [true, false]) {
    await inParallel(OBJECTS, AT_ONCE, (n) => cluster.apply(manifest(n), { fieldManager: 'bench', force: true, dryRun }));
  }
  return performance.now() - started;
}
