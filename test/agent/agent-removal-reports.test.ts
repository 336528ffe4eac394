import { expect, test } from '@jest/globals';
import { configMap, createAgentWorld, namespace, yaml } from './agent-world.ts';

const hold = (finalizers: string[]) => configMap('held', {}, { finalizers });
const controller = { fieldManager: 'controller', force: true };

test('a removal that takes several looks tells what became of each object', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const kept = configMap('kept', {}, { annotations: { 'brokkr.io/keep': 'true' } });
  world.plane.post(stack, yaml(namespace('team'), configMap('a', {}, { namespace: 'team' }), configMap('held'), kept));
  const agent = await world.start();
  await world.cluster.apply(hold(['test/hold']), controller);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(10_000);
  await world.cluster.apply(hold([]), controller);
  await world.clock.advance(10_000);
  const event = world.plane.events.at(-1);
  expect(event).toMatchObject({ event_type: 'REMOVE', status: 'SUCCESS', message: '1 skipped, 3 deleted' });
  expect(event?.details).toMatchObject({ objects_total: 4, counts: { deleted: 3, skipped: 1 } });
  expect(event?.details?.objects.filter(({ health, message }) => health ?? message)).toEqual([]);
  expect(event?.details?.duration_ms).toBeGreaterThanOrEqual(10_000);
});

test('a removal that another process began tells what was gone in the end', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('held')));
  const first = await world.start();
  await world.cluster.apply(hold(['test/hold']), controller);
  world.plane.withdraw(stack);
  await world.cycle(first);
  await first.stop();
  await world.start();
  await world.cluster.apply(hold([]), controller);
  await world.clock.advance(10_000);
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'SUCCESS', message: '1 deleted' });
});

test('a stack that came back in between tells of its next removal alone', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('held'), configMap('before')));
  const agent = await world.start();
  await world.cluster.apply(hold(['test/hold']), controller);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.cluster.apply(hold([]), controller);
  world.plane.post(stack, yaml(configMap('after')));
  await world.cycle(agent);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'SUCCESS', message: '1 deleted' });
});
