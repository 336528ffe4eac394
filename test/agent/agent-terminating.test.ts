import { expect, test } from '@jest/globals';
import { type AgentWorld, configMap, createAgentWorld, deployment, yaml } from './agent-world.ts';

const user = { fieldManager: 'user', force: true };
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' };

const hold = (world: AgentWorld) => world.cluster.apply(configMap('a', {}, { finalizers: ['example.com/hold'] }), user);
const release = (world: AgentWorld) => world.cluster.apply(configMap('a', {}), user);

test.each<{ where: string; annotations: Record<string, string> }>([
  { where: '', annotations: {} },
  { where: ' where health is not waited for', annotations: { 'brokkr.io/health': 'apply-only' } },
  { where: ' where no drift is looked for', annotations: { 'brokkr.io/stack-drift': 'ignore' } },
])('an object that is being deleted while it is applied is there when success is reported$where', async ({ annotations }) => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a', {}, { annotations })));
  const agent = await world.start({ driftIntervalMs: 0 });
  await hold(world);
  expect(await world.cluster.delete(ref)).toBe('deleting');
  world.plane.post(stack, yaml(configMap('a', { colour: 'blue' }, { annotations })));
  await world.cycle(agent);
  await world.clock.advance(20_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await release(world);
  expect(world.objects()).toEqual([]);
  await world.clock.advance(2_000);
  expect(await world.data('a')).toEqual({ colour: 'blue' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
});

test('an object whose last finalizer goes with an apply comes back', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a', {}, { finalizers: ['example.com/hold'] })));
  const agent = await world.start({ driftIntervalMs: 0 });
  expect(await world.cluster.delete(ref)).toBe('deleting');
  world.plane.post(stack, yaml(configMap('a', { colour: 'blue' })));
  await world.cycle(agent);
  await world.clock.advance(2_000);
  expect(await world.data('a')).toEqual({ colour: 'blue' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
});

test('an object that finalizers hold for too long is told, and comes back once they let go', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  const agent = await world.start({ driftIntervalMs: 0 });
  await hold(world);
  await world.cluster.delete(ref);
  world.plane.post(stack, yaml(configMap('a', { colour: 'blue' })));
  await world.cycle(agent);
  await world.clock.advance(61_000);
  expect(world.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: 'ConfigMap/shop/a: it is being deleted\napplied, but not healthy within 60 s',
  });
  await release(world);
  await world.clock.advance(300_000);
  expect(await world.data('a')).toEqual({ colour: 'blue' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY FAILURE', 'DEPLOY SUCCESS']);
});

test('an object that somebody deletes again and again is told in time, and not brought back without end', async () => {
  const world = createAgentWorld();
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const held = deployment('web', { finalizers: ['example.com/hold'] });
  world.cluster.unattended.add('Deployment');
  let applies = 0;
  let looks = 0;
  world.cluster.afterwards = ({ verb, name }) => void (verb === 'apply' && name === 'web' && applies++);
  world.cluster.intercept = async ({ verb, kind }) => {
    if (verb !== 'list' || kind !== 'Deployment') return;
    const { afterwards } = world.cluster;
    world.cluster.afterwards = undefined;
    looks += 1;
    await world.cluster.apply(looks % 2 ? held : deployment('web'), user);
    if (looks % 2) await world.cluster.delete(web);
    world.cluster.afterwards = afterwards;
  };
  world.plane.post(world.plane.newStack(), yaml(deployment('web')));
  const agent = world.create({ driftIntervalMs: 0 });
  await agent.start();
  await world.clock.advance(70_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  expect(applies).toBeGreaterThan(1);
  applies = 0;
  await world.clock.advance(3_600_000);
  expect(applies).toBeLessThan(1_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  await agent.stop();
});
