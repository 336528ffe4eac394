import { expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import { type AgentWorld, configMap, configMaps, createAgentWorld, yaml } from './agent-world.ts';

const DRIFT_MS = 340_000;
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const web = (replicas: number, annotations: Record<string, string> = {}, image = 'web:1'): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', annotations },
  spec: { replicas, template: { spec: { containers: [{ name: 'web', image }] } } },
});
const autoscaler: Manifest = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 3, maxReplicas: 6 },
};
const scale = ({ cluster }: AgentWorld, replicas: number) =>
  cluster.apply(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: { replicas } },
    { fieldManager: 'kube-controller-manager', force: true },
  );
const replicasOf = async ({ cluster }: AgentWorld) =>
  ((await cluster.find(DEPLOYMENT))?.spec as { replicas?: number } | undefined)?.replicas;
const withoutWaiting = { 'brokkr.io/health': 'apply-only' };

test.each([
  { where: 'in the stack', inStack: true },
  { where: 'made by hand', inStack: false },
])('replicas belong to an autoscaler that is $where: at the first apply, in a look for drift and at a change', async ({ inStack }) => {
  const world = createAgentWorld();
  if (!inStack) await world.cluster.apply(autoscaler, { fieldManager: 'user', force: true });
  const stack = world.plane.newStack();
  const contents = (image: string) => yaml(web(1, withoutWaiting, image), ...(inStack ? [autoscaler] : []));
  world.plane.post(stack, contents('web:1'));
  const agent = await world.start();
  await scale(world, 4);
  await world.clock.advance(DRIFT_MS);
  expect(await replicasOf(world)).toBe(4);
  world.plane.post(stack, contents('web:2'));
  await world.cycle(agent);
  expect(await replicasOf(world)).toBe(4);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
});

test.each([
  { where: 'on the object', onObject: { 'brokkr.io/ignore-fields': '/data/colour, /data/a~1b' }, onStack: {} },
  { where: 'on the stack', onObject: {}, onStack: { 'brokkr.io/ignore-fields': '/data/colour /data/a~1b' } },
])('fields that are named $where are left to others, and the other fields are held', async ({ onObject, onStack }) => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.stackAnnotationsOf.set(stack, onStack);
  world.plane.post(stack, yaml(configMap('a', { colour: 'red', size: 'L', 'a/b': '1' }, { annotations: onObject })));
  await world.start();
  expect(await world.data('a')).toEqual({ size: 'L' });
  await world.cluster.apply(configMap('a', { colour: 'green', size: 'S', 'a/b': '2' }), { fieldManager: 'user', force: true });
  await world.clock.advance(DRIFT_MS);
  expect(await world.data('a')).toEqual({ colour: 'green', size: 'L', 'a/b': '2' });
});

test.each(['spec.replicas', '/metadata/name', '/a~2b'])('"%s" is refused as a field that is left to others', async (pointer) => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a', {}, { annotations: { 'brokkr.io/ignore-fields': pointer } })));
  await world.start();
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  expect(world.plane.events[0]?.message).toContain(`"${pointer}" can't be left to others`);
});

test('the objects with ignored fields are looked at a few at a time', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.stackAnnotationsOf.set(stack, { 'brokkr.io/ignore-fields': '/data/colour' });
  let now = 0;
  let most = 0;
  world.cluster.intercept = async ({ verb }) => {
    if (verb !== 'find') return;
    now += 1;
    most = Math.max(most, now);
    await world.clock.sleep(10);
    now -= 1;
  };
  world.plane.post(stack, yaml(...configMaps(100)));
  await world.start();
  expect(most).toBeLessThanOrEqual(16);
});
