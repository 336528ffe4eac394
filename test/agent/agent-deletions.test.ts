import { expect, test } from '@jest/globals';
import { ClusterError } from '../../agent/cluster/cluster.ts';
import { configMap, configMaps, createAgentWorld, namespace, yaml } from './agent-world.ts';
import { createModelControlPlane } from './model-control-plane.ts';

test('a stack that is in neither list is left alone', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(3)));
  const agent = await world.start();
  world.plane.forget(stack);
  await world.cycle(agent);
  await world.clock.advance(3_600_000);
  expect(world.objects()).toHaveLength(3);
  expect(await agent.metrics.registry.getSingleMetricAsString('brokkr_agent_unlisted_stacks')).toContain('brokkr_agent_unlisted_stacks 1');
});

test('a withdrawal while the agent was away is carried out when it is back, a day later', async () => {
  const world = createAgentWorld();
  const [leaving, staying] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(leaving, yaml(configMap('leaving')));
  world.plane.post(staying, yaml(configMap('staying')));
  await (await world.start()).stop();
  world.plane.withdraw(leaving);
  await world.clock.advance(86_400_000);
  await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/staying']);
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'SUCCESS' });
  expect(world.plane.current().assignments).toHaveLength(1);
});

test('a stack that was never applied is reported removed', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  world.plane.withdraw(stack);
  await world.start();
  expect(world.statuses()).toEqual(['REMOVE SUCCESS']);
});

test("users may keep an object, and what a controller owns is its controller's", async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(
    stack,
    yaml(configMap('kept', {}, { annotations: { 'brokkr.io/keep': 'true' } }), configMap('controlled'), configMap('plain')),
  );
  const agent = await world.start();
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'elsewhere', uid: 'u' };
  await world.cluster.apply(configMap('controlled', {}, { ownerReferences: [owner] }), { fieldManager: 'controller', force: true });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/controlled', 'ConfigMap/shop/kept']);
  expect(world.plane.events.at(-1)?.details?.counts).toEqual({ skipped: 2, deleted: 1 });
});

test('a withdrawal is reported only when its finalizers have let go', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('held')));
  const agent = await world.start();
  await world.cluster.apply(configMap('held', {}, { finalizers: ['test/hold'] }), { fieldManager: 'controller', force: true });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(20_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await world.cluster.apply(configMap('held', {}), { fieldManager: 'controller', force: true });
  await world.clock.advance(20_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
});

test('a removal that finalizers hold up beyond the deadline is reported as failed, once, and goes on', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('held')));
  const agent = await world.start();
  await world.cluster.apply(configMap('held', {}, { finalizers: ['test/hold'] }), { fieldManager: 'controller', force: true });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(3_600_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE FAILURE']);
  expect(world.plane.events.at(-1)?.message).toBe(
    'ConfigMap/shop/held: waits for its finalizers: test/hold\nnot all objects are gone yet: 1 left',
  );
  await world.cluster.apply(configMap('held', {}), { fieldManager: 'controller', force: true });
  await world.clock.advance(600_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE FAILURE', 'REMOVE SUCCESS']);
});

test('an object that could not be pruned stays known and goes later', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a'), configMap('b')));
  const agent = await world.start();
  world.cluster.intercept = ({ verb, name }) => {
    if (verb === 'delete' && name === 'b') throw refused();
  };
  world.plane.post(stack, yaml(configMap('a')));
  await world.cycle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('ConfigMap/shop/b: not today') });
  world.cluster.intercept = undefined;
  await world.clock.advance(60_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});

test('a mass deletion waits until it is confirmed by its fingerprint', async () => {
  const world = createAgentWorld();
  const stacks = Array.from({ length: 4 }, () => world.plane.newStack());
  for (const [index, stack] of stacks.entries())
    world.plane.post(stack, yaml(...[0, 1, 2, 3, 4].map((item) => configMap(`map-${index}-${item}`))));
  const agent = await world.start();
  expect(world.objects()).toHaveLength(20);
  for (const stack of stacks.slice(0, 3)) world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(600_000);
  expect(world.objects()).toHaveLength(20);
  const held = world.plane.events.filter(({ status }) => status === 'FAILURE');
  expect(held).toHaveLength(3);
  const fingerprint = /brokkr\.io\/confirm-deletion to ([0-9a-f]+)/.exec(held[0]?.message ?? '')?.[1] ?? '';
  expect(held.every(({ message }) => message?.includes(`delete 15 of the 20 objects`) && message.includes(fingerprint))).toBe(true);

  world.plane.agentAnnotations.push({ key: 'brokkr.io/confirm-deletion', value: 'something else' });
  await world.clock.advance(600_000);
  expect(world.objects()).toHaveLength(20);
  world.plane.agentAnnotations.splice(0, 1, { key: 'brokkr.io/confirm-deletion', value: fingerprint });
  await world.clock.advance(20_000);
  expect(world.objects()).toHaveLength(5);
  expect(world.statuses().filter((status) => status === 'REMOVE SUCCESS')).toHaveLength(3);
});

test('a mass prune is held while the new contents are applied', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(20)));
  const agent = await world.start();
  world.plane.post(stack, yaml(configMap('map-000', { colour: 'blue' })));
  await world.cycle(agent);
  expect(world.objects()).toHaveLength(20);
  expect(await world.data('map-000')).toEqual({ colour: 'blue' });
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('held: this would delete 19') });
});

test('a mass deletion goes on where that was configured', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(20)));
  const agent = await world.start({ massDeletion: 'allow' });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
});

test("two agents on one cluster neither take nor delete each other's objects", async () => {
  const first = createAgentWorld();
  const second = createAgentWorld({ plane: createModelControlPlane(), cluster: first.cluster, clock: first.clock });
  const shared = first.plane.newStack();
  first.plane.post(shared, yaml(configMap('one')));
  second.plane.post(shared, yaml(configMap('two'), namespace('second')));
  const [one, two] = [await first.start(), await second.start()];
  second.plane.post(second.plane.newStack(), yaml(configMap('one', { colour: 'blue' })));
  await second.cycle(two);
  expect(await first.data('one')).toEqual({ colour: 'red' });
  expect(second.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: expect.stringContaining(`ConfigMap/shop/one: belongs to agent ${first.plane.agentId}`),
  });
  first.plane.withdraw(shared);
  await first.cycle(one);
  expect(first.objects()).toEqual(['ConfigMap/shop/two', 'Namespace/second']);
  await one.stop();
  await two.stop();
});

test('two stacks of one agent cannot own the same object', async () => {
  const world = createAgentWorld();
  const [owner, other] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(configMap('a')));
  const agent = await world.start();
  world.plane.post(other, yaml(configMap('a', { colour: 'blue' }), configMap('b')));
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(await world.data('a')).toEqual({ colour: 'red' });
  expect(world.plane.events.at(-1)?.message).toContain(`belongs to stack ${owner}`);
});

test("no stack can write an agent's inventory", async () => {
  const world = createAgentWorld();
  const [victim, intruder] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(victim, yaml(configMap('a')));
  const agent = await world.start();
  const inventory = world.cluster.all().find(({ metadata }) => metadata.name.startsWith('brokkr-inventory-'));
  world.plane.post(
    intruder,
    yaml({ ...configMap(inventory?.metadata.name ?? ''), metadata: { name: inventory?.metadata.name, namespace: 'default' } }),
  );
  await world.cycle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('reserved') });
  expect(world.cluster.all().find(({ metadata }) => metadata.name === inventory?.metadata.name)).toEqual(inventory);
});

function refused(): Error {
  return new ClusterError('not today', { status: 403, reason: 'Forbidden' });
}
