import { expect, test } from '@jest/globals';
import { ClusterError, type LiveObject } from '../../agent/cluster/cluster.ts';
import { createMemoryFiles, type StateFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, createAgentWorld, yaml } from './agent-world.ts';

/** The API server refuses every change of an inventory, as a webhook does whose server is away. */
function refuseInventories(world: AgentWorld, error = webhookIsAway): { writes: number } {
  const counted = { writes: 0 };
  world.cluster.intercept = ({ verb, name }) => {
    if (!name.startsWith('brokkr-inventory-') || !['apply', 'delete'].includes(verb)) return;
    counted.writes += 1;
    throw error();
  };
  return counted;
}
const webhookIsAway = () =>
  new ClusterError('Internal error occurred: failed calling webhook "maps.example.com"', { status: 500, reason: 'InternalError' });

const secret = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  stringData: data,
});
const inventories = (world: AgentWorld) => world.cluster.all().filter(({ metadata }) => metadata.name.startsWith('brokkr-inventory-'));
const behind = async (agent: Awaited<ReturnType<AgentWorld['start']>>) =>
  /brokkr_agent_inventories_behind (\d+)/.exec(await agent.metrics.registry.metrics())?.[1];

test('a stack is applied, changed, pruned and removed while the API server refuses its inventory', async () => {
  const world = createAgentWorld();
  refuseInventories(world);
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(secret('a'), secret('b')));
  const agent = await world.start();
  expect(world.objects()).toEqual(['Secret/shop/a', 'Secret/shop/b']);
  expect(await behind(agent)).toBe('1');
  world.plane.post(stack, yaml(secret('b')));
  await world.cycle(agent);
  expect(world.objects()).toEqual(['Secret/shop/b']);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS', 'REMOVE SUCCESS']);
  expect(inventories(world)).toEqual([]);
});

test('an agent that restarts meanwhile knows what its stacks own', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(secret('before')));
  let agent = await world.start();
  refuseInventories(world);
  world.plane.post(stack, yaml(secret('before'), secret('meanwhile')));
  await world.cycle(agent);
  await agent.stop();
  agent = await world.start();
  expect(await behind(agent)).toBe('1');
  world.plane.post(stack, yaml(secret('after')));
  await world.cycle(agent);
  expect(world.objects()).toEqual(['Secret/shop/after']);
});

test('when the API server takes inventories again, they are written, and the disk is not needed any more', async () => {
  const world = createAgentWorld();
  const { writes } = refuseInventories(world);
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(secret('a')));
  const agent = await world.start();
  expect(writes).toBeLessThanOrEqual(1);
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(await behind(agent)).toBe('0');
  expect(await world.files.list('inventories')).toEqual([]);
  expect(inventories(world)).toHaveLength(1);
  await agent.stop();
  const next = await world.start({}, { files: createMemoryFiles() });
  world.plane.withdraw(stack);
  await world.cycle(next);
  expect(world.objects()).toEqual([]);
});

test('a refusal costs one call, and is tried again more and more seldom', async () => {
  const world = createAgentWorld();
  const counted = refuseInventories(world);
  for (let index = 0; index < 20; index += 1) world.plane.post(world.plane.newStack(), yaml(secret(`s${index}`)));
  await world.start();
  expect(world.objects()).toHaveLength(20);
  expect(counted.writes).toBeLessThan(10);
  await world.clock.advance(3_600_000);
  expect(counted.writes).toBeLessThan(40);
});

test('an inventory whose deletion was refused does not come back with a restart, nor stand against the stack when it comes back', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(secret('a')));
  let agent = await world.start();
  refuseInventories(world);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  await agent.stop();
  agent = await world.start();
  world.cluster.intercept = undefined;
  world.plane.post(stack, yaml(secret('again')));
  await world.cycle(agent);
  await world.clock.advance(600_000);
  expect(world.objects()).toEqual(['Secret/shop/again']);
  await agent.stop();
  agent = await world.start({}, { files: createMemoryFiles() });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
  expect(inventories(world)).toEqual([]);
});

test('an API server that can not be reached is no refusal: nothing is applied without an inventory that lasts', async () => {
  const world = createAgentWorld();
  refuseInventories(world, () => new ClusterError('connect ECONNREFUSED', { status: 0, reason: 'ECONNREFUSED' }));
  const isDown = world.cluster.intercept;
  world.cluster.intercept = async (call) => {
    if (call.verb === 'version') throw new ClusterError('connect ECONNREFUSED', { status: 0, reason: 'ECONNREFUSED' });
    await isDown?.(call);
  };
  world.plane.post(world.plane.newStack(), yaml(secret('a')));
  await world.create().start();
  await world.clock.advance(20_000);
  expect(world.objects()).toEqual([]);
});

test('a stack fails, and says why, if neither the API server nor the disk takes its inventory', async () => {
  const world = createAgentWorld();
  refuseInventories(world, () => new ClusterError('denied by policy', { status: 403, reason: 'Forbidden' }));
  const files: StateFiles = {
    ...world.files,
    write: async (name, text) => {
      if (name.startsWith('inventories/')) throw new Error('no space left on device');
      await world.files.write(name, text);
    },
  };
  world.plane.post(world.plane.newStack(), yaml(secret('a')));
  await world.start({}, { files });
  expect(world.objects()).toEqual([]);
  expect(world.plane.events).toMatchObject([{ status: 'FAILURE', message: expect.stringContaining('denied by policy') }]);
});

test("an inventory of an earlier version, which has no revision, is older than the disk's", async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('old')));
  let agent = await world.start();
  const [stored] = inventories(world) as [LiveObject];
  const text = JSON.parse((stored.data as { inventory: string }).inventory);
  delete text.revision;
  const { name, labels = {} } = stored.metadata;
  const earlier = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels },
    data: { inventory: JSON.stringify(text) },
  };
  await world.cluster.apply(earlier, { fieldManager: 'brokkr-controller', force: true });
  await agent.stop();
  agent = await world.start();
  refuseInventories(world);
  world.plane.post(stack, yaml(configMap('old'), configMap('new')));
  await world.cycle(agent);
  await agent.stop();
  agent = await world.start();
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
});

test('an inventory that is refused alone does not keep the others from the cluster', async () => {
  const world = createAgentWorld();
  const [a, b] = [world.plane.newStack(), world.plane.newStack()];
  let all = true;
  world.cluster.intercept = ({ verb, name }) => {
    if (verb === 'apply' && name.startsWith('brokkr-inventory-') && (all || name.includes(a)))
      throw new ClusterError('too long', { status: 403, reason: 'Forbidden' });
  };
  world.plane.post(a, yaml(configMap('a')));
  await world.start();
  world.plane.post(b, yaml(configMap('b')));
  await world.clock.advance(20_000);
  all = false;
  await world.clock.advance(3_600_000);
  expect(
    world.cluster
      .all()
      .filter(({ metadata }) => metadata.name.startsWith('brokkr-inventory-'))
      .map(({ metadata }) => metadata.name),
  ).toEqual([expect.stringContaining(b)]);
});
