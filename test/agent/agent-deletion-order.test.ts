import { expect, test } from '@jest/globals';
import { ClusterError } from '../../agent/cluster/cluster.ts';
import {
  type AgentWorld,
  configMap,
  configMaps,
  createAgentWorld,
  deployment,
  namespace,
  widget,
  widgetDefinition,
  yaml,
} from './agent-world.ts';

const operator = [namespace('operators'), widgetDefinition, configMap('settings'), deployment('operator')];

/** A finalizer that the operator has still to see to. */
const hold = (world: AgentWorld, finalizers: string[]) =>
  world.cluster.apply({ ...widget('one'), metadata: { ...widget('one').metadata, finalizers } }, { fieldManager: 'operator', force: true });

test('a prerequisite of a custom resource is deleted only after the resource is gone', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...operator, widget('one')));
  const agent = await world.start();
  await hold(world, ['example.com/clean-up']);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(30_000);
  expect(world.objects()).toHaveLength(5);
  await hold(world, []);
  await world.clock.advance(2_000);
  expect(world.objects()).toEqual([]);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
});

test('a removal that waits for its first stage beyond the deadline is reported as failed, once', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...operator, widget('one')));
  const agent = await world.start();
  await hold(world, ['example.com/clean-up']);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(3_600_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE FAILURE']);
  expect(world.plane.events.at(-1)?.message).toBe(
    'Widget/shop/one: waits for its finalizers: example.com/clean-up\nnot all objects are gone yet: 5 left',
  );
  await hold(world, []);
  await world.clock.advance(600_000);
  expect(world.objects()).toEqual([]);
});

test('an object that may not be deleted keeps what it needs', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...operator, widget('one')));
  const agent = await world.start();
  world.cluster.intercept = ({ verb, kind }) => {
    if (verb === 'delete' && kind === 'Widget') throw new ClusterError('not today', { status: 403, reason: 'Forbidden' });
  };
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toHaveLength(5);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE FAILURE']);
});

test('objects that an update drops are deleted in order too, without anything to wake the agent', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...operator, widget('one')));
  const agent = await world.start({ driftIntervalMs: 0 });
  await hold(world, ['example.com/clean-up']);
  world.plane.post(stack, yaml(configMap('settings')));
  await world.cycle(agent);
  await world.clock.advance(60_000);
  expect(world.objects()).toHaveLength(5);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
  await hold(world, []);
  await world.clock.advance(20_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/settings']);
});

test('nor is that forgotten when the same contents are submitted again', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...operator, widget('one')));
  const agent = await world.start({ driftIntervalMs: 0 });
  await hold(world, ['example.com/clean-up']);
  for (let submitted = 0; submitted < 2; submitted += 1) {
    world.plane.post(stack, yaml(configMap('settings')));
    await world.cycle(agent);
  }
  await hold(world, []);
  await world.clock.advance(20_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/settings']);
});

test('a deletion that was let pass goes on to its end, though less and less is left of all', async () => {
  const world = createAgentWorld();
  const [staying, leaving] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(staying, yaml(...Array.from({ length: 16 }, (_, index) => configMap(`staying-${index}`))));
  world.plane.post(leaving, yaml(widgetDefinition, widget('one'), widget('two'), widget('three'), ...configMaps(12)));
  const agent = await world.start();
  await hold(world, ['example.com/clean-up']);
  world.plane.withdraw(leaving);
  await world.cycle(agent);
  await world.clock.advance(30_000);
  expect(world.objects()).toHaveLength(30);
  await hold(world, []);
  await world.clock.advance(10_000);
  expect(world.objects()).toHaveLength(16);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});
