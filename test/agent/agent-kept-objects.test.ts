import { expect, test } from '@jest/globals';
import { type AgentWorld, configMap, createAgentWorld, namespace, yaml } from './agent-world.ts';

const kept = (name: string, data = {}) => configMap(name, data, { annotations: { 'brokkr.io/keep': 'true' } });

const stackOf = ({ cluster }: AgentWorld, name: string) =>
  cluster.all().find(({ metadata }) => metadata.name === name)?.metadata.labels?.['k8s.brokkr.io/stack'];

test('an object that was kept when its stack went can be taken into another stack, and goes with that one', async () => {
  const world = createAgentWorld();
  const [before, after] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(before, yaml(kept('data'), configMap('plain')));
  const agent = await world.start();
  world.plane.withdraw(before);
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/data']);
  world.plane.post(after, yaml(configMap('data', { colour: 'blue' })));
  await world.cycle(agent);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
  expect(await world.data('data')).toEqual({ colour: 'blue' });
  expect(stackOf(world, 'data')).toBe(after);
  world.plane.withdraw(after);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
});

test('an object that was kept when it left its stack can be taken into another stack', async () => {
  const world = createAgentWorld();
  const [from, to] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(from, yaml(kept('data'), configMap('plain')));
  const agent = await world.start();
  world.plane.post(from, yaml(configMap('plain')));
  await world.cycle(agent);
  world.plane.post(to, yaml(kept('data')));
  await world.cycle(agent);
  expect(stackOf(world, 'data')).toBe(to);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});

test('an object to be kept belongs to its stack as long as it is in it', async () => {
  const world = createAgentWorld();
  const [owner, other] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(owner, yaml(kept('data')));
  const agent = await world.start();
  world.plane.post(other, yaml(kept('data')));
  await world.cycle(agent);
  expect(stackOf(world, 'data')).toBe(owner);
  expect(world.plane.events.at(-1)?.message).toContain(`belongs to stack ${owner}`);
});

test('the Namespace of an object to be kept stays with it, and another stack may have both', async () => {
  const world = createAgentWorld();
  const [first, second] = [world.plane.newStack(), world.plane.newStack()];
  const contents = yaml(
    namespace('vault'),
    configMap('kept', {}, { namespace: 'vault', annotations: { 'brokkr.io/keep': 'true' } }),
    configMap('plain', {}, { namespace: 'vault' }),
  );
  world.plane.post(first, contents);
  const agent = await world.start();
  world.plane.withdraw(first);
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/vault/kept', 'Namespace/vault']);
  expect(world.plane.events.at(-1)).toMatchObject({
    event_type: 'REMOVE',
    status: 'SUCCESS',
    details: { counts: { skipped: 2, deleted: 1 } },
  });
  world.plane.post(second, contents);
  await world.cycle(agent);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
  expect(world.objects()).toEqual(['ConfigMap/vault/kept', 'ConfigMap/vault/plain', 'Namespace/vault']);
});
