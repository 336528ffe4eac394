import { expect, test } from '@jest/globals';
import { configMap, createAgentWorld, namespace, widget, widgetDefinition, yaml } from './agent-world.ts';

const inTeam = (name: string) => configMap(name, {}, { namespace: 'team' });

test('a namespace stays while another stack has objects in it, and goes when they are gone', async () => {
  const world = createAgentWorld();
  const [owner, guest] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(namespace('team'), inTeam('own')));
  const agent = await world.start();
  world.plane.post(guest, yaml(inTeam('guest')));
  await world.cycle(agent);
  world.plane.withdraw(owner);
  await world.cycle(agent);
  await world.clock.advance(60_000);
  expect(world.objects()).toEqual(['ConfigMap/team/guest', 'Namespace/team']);
  expect(world.plane.events.at(-1)).toMatchObject({
    event_type: 'REMOVE',
    status: 'FAILURE',
    message: `objects of other stacks would go with Namespace/team (stack ${guest}); they are not deleted while those stacks stay`,
  });
  world.plane.post(guest, yaml(configMap('guest')));
  await world.cycle(agent);
  await world.clock.advance(600_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/guest']);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

test('a definition stays while another stack has objects of its kind', async () => {
  const world = createAgentWorld();
  const [owner, guest] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(widgetDefinition, widget('own')));
  const agent = await world.start();
  world.plane.post(guest, yaml(widget('guest')));
  await world.cycle(agent);
  world.plane.withdraw(owner);
  await world.cycle(agent);
  expect(world.objects()).toEqual(['CustomResourceDefinition/widgets.example.com', 'Widget/shop/guest']);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining(guest) });
});

test('the stacks that hold up a definition are reported once all else is gone', async () => {
  const world = createAgentWorld();
  const [owner, guest] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(widgetDefinition, configMap('held'), configMap('needed')));
  const agent = await world.start();
  world.plane.post(guest, yaml(widget('guest')));
  await world.cycle(agent);
  const hold = (finalizers: string[]) =>
    world.cluster.apply(configMap('held', {}, { finalizers }), { fieldManager: 'controller', force: true });
  await hold(['test/hold']);
  world.plane.withdraw(owner);
  await world.cycle(agent);
  await world.clock.advance(10_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
  await hold([]);
  await world.clock.advance(3_000);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining(guest) });
});

test('an update that drops a namespace with guests applies the rest and leaves it', async () => {
  const world = createAgentWorld();
  const [owner, guest] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(namespace('team'), configMap('a')));
  const agent = await world.start();
  world.plane.post(guest, yaml(inTeam('guest')));
  await world.cycle(agent);
  world.plane.post(owner, yaml(configMap('a', { colour: 'blue' })));
  await world.cycle(agent);
  expect(await world.data('a')).toEqual({ colour: 'blue' });
  expect(world.objects()).toContain('ConfigMap/team/guest');
  expect(world.statuses().at(-1)).toBe('DEPLOY FAILURE');
});

test('stacks that go together go in whatever order they stand in each other, without a failure', async () => {
  const world = createAgentWorld();
  const [one, two] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(one, yaml(namespace('team')));
  world.plane.post(two, yaml(namespace('crew')));
  const agent = await world.start();
  world.plane.post(one, yaml(namespace('team'), configMap('one', {}, { namespace: 'crew' })));
  world.plane.post(two, yaml(namespace('crew'), inTeam('two')));
  await world.cycle(agent);
  expect(world.objects()).toHaveLength(4);
  const before = world.plane.events.length;
  world.plane.withdraw(one);
  world.plane.withdraw(two);
  await world.cycle(agent);
  await world.clock.advance(10_000);
  expect(world.objects()).toEqual([]);
  expect(world.statuses().slice(before)).toEqual(['REMOVE SUCCESS', 'REMOVE SUCCESS']);
});
