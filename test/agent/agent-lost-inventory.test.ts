import { expect, test } from '@jest/globals';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, configMaps, createAgentWorld, deployment, namespace, yaml } from './agent-world.ts';

const MISSING = "the stack's inventory is missing, so its objects are not known; deploy it once more, then remove it again";

/** As somebody would who cleans up too much. */
async function loseInventories({ cluster }: AgentWorld): Promise<void> {
  for (const { apiVersion, kind, metadata } of cluster.all())
    if (metadata.name.startsWith('brokkr-inventory-'))
      await cluster.delete({ apiVersion, kind, namespace: 'default', name: metadata.name });
}

test('a withdrawn stack whose inventory is lost is found by its labels', async () => {
  const world = createAgentWorld();
  const [leaving, staying] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(leaving, yaml(namespace('team'), configMap('a'), configMap('b', {}, { namespace: 'team' }), deployment('web')));
  world.plane.post(staying, yaml(configMap('staying')));
  await (await world.start()).stop();
  await loseInventories(world);
  world.plane.withdraw(leaving);
  await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/staying']);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

test('a withdrawn stack is found by its labels when the agent keeps its inventories elsewhere and lost its disk', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  world.plane.withdraw(stack);
  await world.start({ inventoryNamespace: 'shop' }, { files: createMemoryFiles() });
  expect(world.objects()).toEqual([]);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

test('objects that are found by labels are deleted in bulk only when that is confirmed', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(20)));
  await (await world.start()).stop();
  await loseInventories(world);
  world.plane.withdraw(stack);
  await world.start();
  expect(world.objects()).toHaveLength(20);
  expect(world.plane.events.at(-1)?.message).toContain('held: this would delete 20 of the 20');
});

test('a stack is not reported as gone if neither its inventory nor its contents say what it owns', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const object = world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  await loseInventories(world);
  world.plane.bodies.delete(object.id);
  await world.files.remove(`bodies/${object.yaml_checksum}`);
  world.plane.bodies.set(object.id, { ...object, yaml_content: '' });
  world.plane.withdraw(stack);
  await world.start();
  await world.clock.advance(600_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'FAILURE', message: MISSING });
});

test('contents that were never applied do not tell what an older version left', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(deployment('web')));
  await (await world.start()).stop();
  await loseInventories(world);
  world.plane.post(stack, yaml(configMap('a')));
  world.plane.withdraw(stack);
  await world.start();
  expect(world.objects()).toEqual(['Deployment/shop/web']);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: MISSING });
});

test('a deletion marker for a stack whose inventory is lost fails and says what to do, which helps', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  await loseInventories(world);
  world.plane.post(stack, '', { marker: true });
  const agent = await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'DEPLOY', status: 'FAILURE', message: MISSING });
  world.plane.post(stack, yaml(configMap('a')));
  await world.cycle(agent);
  world.plane.post(stack, '', { marker: true });
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
  expect(world.statuses().slice(-2)).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
});

test('a stack that a deletion marker emptied is removed without its inventory', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  const agent = await world.start();
  world.plane.post(stack, '', { marker: true });
  await world.cycle(agent);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS', 'REMOVE SUCCESS']);
});
