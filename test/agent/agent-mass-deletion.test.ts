import { expect, test } from '@jest/globals';
import { ClusterError, type Manifest } from '../../agent/cluster/cluster.ts';
import { createMemoryCluster } from '../../agent/cluster/memory/memory-cluster.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, createAgentWorld, yaml } from './agent-world.ts';
import { createVirtualClock } from './virtual-clock.ts';

const maps = (names: string, count: number, namespace?: string): Manifest[] =>
  Array.from({ length: count }, (_, index) => configMap(`${names}-${index}`, {}, namespace === undefined ? {} : { namespace }));

/** Without the namespace, which is then the agent's to choose. */
const anywhere = (objects: Manifest[]): Manifest[] => objects.map((object) => ({ ...object, metadata: { name: object.metadata.name } }));

const worldOf = (...namespaces: string[]): AgentWorld => {
  const clock = createVirtualClock();
  return createAgentWorld({ clock, cluster: createMemoryCluster({ clock, namespaces: ['default', 'shop', ...namespaces] }) });
};

const heldFor = (deletes: number, of: number) => ({
  status: 'FAILURE',
  message: expect.stringContaining(`held: this would delete ${deletes} of the ${of} objects`),
});

test('objects that move to another namespace are deleted in the old one: a mass of them waits', async () => {
  const world = worldOf('old', 'new');
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...maps('map', 30, 'old')));
  const agent = await world.start();
  world.plane.post(stack, yaml(...maps('map', 20, 'new')));
  await world.cycle(agent);
  expect(world.objects()).toHaveLength(50);
  expect(world.plane.events.at(-1)).toMatchObject(heldFor(30, 30));
});

test('objects that name no namespace any more, and stand in the default one, leave nothing', async () => {
  const world = worldOf();
  const [stack, leaving] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(stack, yaml(...maps('map', 20, 'shop')));
  world.plane.post(leaving, yaml(...maps('leaving', 5)));
  const agent = await world.start({ watchNamespace: 'shop' });
  world.plane.post(stack, yaml(...anywhere(maps('map', 20)), configMap('other')));
  world.plane.withdraw(leaving);
  await world.cycle(agent);
  expect(world.statuses().slice(2).sort()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
});

test('a stack that replaces all it owns waits, though the new objects are as many', async () => {
  const world = worldOf();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...maps('before', 20)));
  const agent = await world.start();
  world.plane.post(stack, yaml(...maps('after', 20)));
  await world.cycle(agent);
  expect(world.objects()).toHaveLength(40);
  expect(world.plane.events.at(-1)).toMatchObject(heldFor(20, 20));
});

test('neither a failed attempt nor a restart makes a replacement look smaller', async () => {
  const world = worldOf();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...maps('before', 20)));
  const first = await world.start();
  world.cluster.intercept = ({ verb, name }) => {
    if (verb === 'apply' && name === 'after-7') throw new ClusterError('not today', { status: 403, reason: 'Forbidden' });
  };
  world.plane.post(stack, yaml(...maps('after', 20)));
  await world.cycle(first);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('nothing was pruned') });
  await first.stop();
  world.cluster.intercept = undefined;
  await world.start({}, { files: createMemoryFiles() });
  expect(world.objects()).toHaveLength(40);
  expect(world.plane.events.at(-1)).toMatchObject(heldFor(20, 20));
});

test('a held deletion stays held for the next process and for the next version', async () => {
  const world = worldOf();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...maps('before', 20)));
  const first = await world.start();
  world.plane.post(stack, yaml(...maps('after', 20)));
  await world.cycle(first);
  await first.stop();
  const second = await world.start({}, { files: createMemoryFiles() });
  expect(world.plane.events.at(-1)).toMatchObject(heldFor(20, 20));
  world.plane.post(stack, yaml(...maps('after', 21)));
  await world.cycle(second);
  expect(world.objects()).toHaveLength(41);
  expect(world.plane.events.at(-1)).toMatchObject(heldFor(20, 20));
});

test('stacks made anew beside those that leave do not make their share smaller', async () => {
  const world = worldOf();
  const before = [1, 2, 3].map(() => world.plane.newStack());
  for (const [index, stack] of before.entries()) world.plane.post(stack, yaml(...maps(`before-${index}`, 5)));
  const agent = await world.start({ stackParallelism: 1 });
  for (const index of [0, 1, 2, 3]) {
    const stack = world.plane.newStack();
    world.plane.post(stack, yaml(...maps(`after-${index}`, 5)));
  }
  for (const stack of before) world.plane.withdraw(stack);
  await world.cycle(agent);
  await world.clock.advance(60_000);
  expect(world.objects()).toHaveLength(35);
  expect(world.plane.events.filter(({ event_type }) => event_type === 'REMOVE')).toEqual(
    before.map(() => expect.objectContaining(heldFor(15, 15))),
  );
});
