import { expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, createAgentWorld, deployment, yaml } from './agent-world.ts';

const DRIFT_MS = 340_000;
const migrate = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'migrate' };

const job = (spec: Record<string, unknown> = { ttlSecondsAfterFinished: 60 }, annotations = {}): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', namespace: 'shop', annotations },
  spec: { template: { spec: { containers: [{ name: 'main', image: 'migrate' }], restartPolicy: 'Never' } }, ...spec },
});

/** How often the Job was made. */
function runsOf(world: AgentWorld): () => number {
  const uids = new Set<string>();
  world.cluster.afterwards = () => {
    for (const { kind, metadata } of world.cluster.all()) if (kind === 'Job') uids.add(metadata.uid);
  };
  return () => uids.size;
}

test('a Job that finished and was cleared away stays done until the contents change, also for an agent without its disk', async () => {
  const world = createAgentWorld();
  const runs = runsOf(world);
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(job(), configMap('a')));
  const agent = await world.start();
  await world.cluster.delete(migrate);
  await world.clock.advance(3 * DRIFT_MS);
  await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
  await world.clock.advance(DRIFT_MS);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  await agent.stop();
  const next = await world.start({}, { files: createMemoryFiles() });
  await world.clock.advance(DRIFT_MS);
  expect(runs()).toBe(1);
  expect(new Set(world.statuses())).toEqual(new Set(['DEPLOY SUCCESS']));
  world.plane.post(stack, yaml(job(), configMap('a', { colour: 'blue' })));
  await world.cycle(next);
  expect(runs()).toBe(2);
});

test('a Job that finished does not run again because another object of its stack is late or being deleted', async () => {
  const world = createAgentWorld();
  const runs = runsOf(world);
  world.cluster.unattended.add('Deployment');
  world.plane.post(world.plane.newStack(), yaml(job(), deployment('web', { finalizers: ['example.com/hold'] })));
  await world.start();
  await world.cluster.delete(migrate);
  await world.cluster.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' });
  await world.clock.advance(70_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  world.cluster.unattended.clear();
  await world.cluster.apply(deployment('web'), { fieldManager: 'brokkr-controller', force: true });
  await world.clock.advance(600_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE', 'DEPLOY SUCCESS']);
  expect(world.objects()).toEqual(['Deployment/shop/web']);
  expect(runs()).toBe(1);
});

test('a Job that finished does not run again where success means applied', async () => {
  const world = createAgentWorld();
  const runs = runsOf(world);
  world.cluster.unattended.add('Job');
  world.plane.post(world.plane.newStack(), yaml(job({ ttlSecondsAfterFinished: 60 }, { 'brokkr.io/health': 'apply-only' })));
  await world.start();
  await world.cluster.delete(migrate);
  await world.clock.advance(2 * DRIFT_MS);
  expect(runs()).toBe(1);
});

test.each([
  { which: 'is kept when it has finished', spec: {}, finishes: true },
  { which: 'was not seen to finish', spec: { ttlSecondsAfterFinished: 60 }, finishes: false },
])('a Job that $which comes back', async ({ spec, finishes }) => {
  const world = createAgentWorld();
  const runs = runsOf(world);
  if (!finishes) world.cluster.unattended.add('Job');
  world.plane.post(world.plane.newStack(), yaml(job(spec)));
  await world.start();
  await world.cluster.delete(migrate);
  await world.clock.advance(2 * DRIFT_MS);
  expect(runs()).toBe(2);
});
