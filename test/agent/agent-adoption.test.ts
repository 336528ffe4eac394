import { expect, test } from '@jest/globals';
import { ClusterError, type Manifest } from '../../agent/cluster/cluster.ts';
import type { ClusterCall } from '../../agent/cluster/memory/memory-cluster.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, configMaps, createAgentWorld, namespace, yaml } from './agent-world.ts';

const stranger = configMap('regions', { primary: 'eu-1', secondary: 'us-1' }, { labels: { team: 'other' } });
const wanted = (metadata = {}) => configMap('regions', { primary: 'ap-2' }, metadata);
const asked = (mode: string) => ({ annotations: { 'brokkr.io/adopt': mode } });

/** Somebody else's hand on the cluster. */
const byHand = ({ cluster }: AgentWorld, manifest: Manifest) => cluster.apply(manifest, { fieldManager: 'kubectl', force: true });
const regions = ({ cluster }: AgentWorld) => cluster.all().find(({ metadata }) => metadata.name === 'regions');
const isApplyOf = (name: string) => (call: ClusterCall) => call.verb === 'apply' && call.name === name;

function expectReleased(world: AgentWorld): void {
  expect(regions(world)).toMatchObject({ data: { secondary: 'us-1' }, metadata: { labels: { team: 'other' } } });
  expect(JSON.stringify(regions(world)?.metadata)).not.toContain('brokkr.io');
}

async function worldWithAdopted(over: Manifest = wanted()) {
  const world = createAgentWorld();
  await byHand(world, stranger);
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(over, configMap('own')));
  return { world, stack, agent: await world.start() };
}

test('an object that belongs to nobody is adopted, and the event says which', async () => {
  const { world } = await worldWithAdopted();
  expect(regions(world)).toMatchObject({ data: { primary: 'ap-2', secondary: 'us-1' } });
  expect(world.plane.events).toMatchObject([
    {
      status: 'SUCCESS',
      message: expect.stringMatching(/1 created, 1 adopted|1 adopted, 1 created/),
      details: { counts: { created: 1, adopted: 1 } },
    },
  ]);
  expect(world.plane.events[0]?.message).toContain('ConfigMap/shop/regions');
});

test.each([
  { how: 'it leaves its stack', remove: ({ plane }: AgentWorld, stack: string) => void plane.post(stack, yaml(configMap('own'))) },
  { how: 'its stack is withdrawn', remove: ({ plane }: AgentWorld, stack: string) => plane.withdraw(stack) },
  { how: 'a deletion marker is posted', remove: ({ plane }: AgentWorld, stack: string) => void plane.post(stack, '', { marker: true }) },
])('an adopted object stays without our marks when $how', async ({ remove }) => {
  const { world, stack, agent } = await worldWithAdopted();
  remove(world, stack);
  await world.cycle(agent);
  expectReleased(world);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', details: { counts: { released: 1 } } });
});

test.each([
  { what: 'its disk', lose: async () => {} },
  {
    what: 'its disk and its inventory',
    lose: async ({ cluster }: AgentWorld) => {
      for (const { metadata } of cluster.all().filter(({ metadata: { name } }) => name.startsWith('brokkr-inventory')))
        await cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: metadata.name });
    },
  },
])('an agent that lost $what still knows what was adopted, after an update too', async ({ lose }) => {
  const { world, stack, agent } = await worldWithAdopted();
  await agent.stop();
  await lose(world);
  world.plane.post(stack, yaml(configMap('regions', { primary: 'ap-3' }), configMap('own')));
  const next = await world.start({}, { files: createMemoryFiles() });
  expect(regions(world)).toMatchObject({ data: { primary: 'ap-3' } });
  world.plane.withdraw(stack);
  await world.cycle(next);
  expectReleased(world);
  expect(world.objects()).toEqual([]);
});

test.each([
  { on: 'the object', prepare: () => {}, metadata: asked('own') },
  {
    on: 'the stack',
    prepare: ({ plane }: AgentWorld, stack: string) => void plane.stackAnnotationsOf.set(stack, { 'brokkr.io/adopt': 'own' }),
    metadata: {},
  },
])('"own" on $on makes an existing object the stack\'s own, deletion included', async ({ prepare, metadata }) => {
  const world = createAgentWorld();
  await byHand(world, stranger);
  const stack = world.plane.newStack();
  prepare(world, stack);
  world.plane.post(stack, yaml(wanted(metadata)));
  const agent = await world.start();
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(regions(world)).toBeUndefined();
});

test.each(['Never', 'false', 'owned'])('a word that nobody knows, "%s", takes no object of a stranger', async (word) => {
  const world = createAgentWorld();
  await byHand(world, stranger);
  world.plane.post(world.plane.newStack(), yaml(wanted(asked(word))));
  await world.start();
  expect(regions(world)?.data).toEqual(stranger.data);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
});

test('an adopted object can be handed over later', async () => {
  const { world, stack, agent } = await worldWithAdopted();
  world.plane.post(stack, yaml(wanted(asked('own')), configMap('own')));
  await world.cycle(agent);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(regions(world)).toBeUndefined();
});

test.each([
  { on: 'the object', prepare: () => {}, metadata: asked('never') },
  {
    on: 'the stack',
    prepare: ({ plane }: AgentWorld, stack: string) => void plane.stackAnnotationsOf.set(stack, { 'brokkr.io/adopt': 'never' }),
    metadata: {},
  },
])('"never" on $on refuses the stack before anything is touched, a namespace that it brings included', async ({ prepare, metadata }) => {
  const world = createAgentWorld();
  const inside = configMap('regions', {}, { namespace: 'team' });
  await byHand(world, namespace('team'));
  await byHand(world, inside);
  const before = JSON.stringify(world.cluster.all());
  const stack = world.plane.newStack();
  prepare(world, stack);
  const ownNamespace = { ...namespace('team'), metadata: { name: 'team', ...asked('own') } };
  world.plane.post(stack, yaml(configMap('own'), ownNamespace, { ...inside, metadata: { ...inside.metadata, ...metadata } }));
  await world.start();
  expect(JSON.stringify(world.cluster.all())).toBe(before);
  expect(world.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: expect.stringContaining(
      'ConfigMap/team/regions: exists, no stack created it, and brokkr.io/adopt is neither "adopt" nor "own"',
    ),
  });
});

test.each([
  { mode: 'adopt', status: 'SUCCESS', primary: 'ap-2' },
  { mode: 'never', status: 'FAILURE', primary: 'eu-1' },
])('an object that appears between the look and the apply is treated as one that was there: $mode', async ({ mode, status, primary }) => {
  const world = createAgentWorld();
  let isMade = false;
  world.cluster.intercept = async (call) => {
    if (isMade || !isApplyOf('regions')(call)) return;
    isMade = true;
    await byHand(world, stranger);
  };
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(wanted(asked(mode))));
  const agent = await world.start();
  expect(world.plane.events[0]?.status).toBe(status);
  expect(regions(world)).toMatchObject({ data: { primary, secondary: 'us-1' } });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(regions(world)).toMatchObject({ data: { secondary: 'us-1' } });
});

test.each([
  { what: 'created', isThere: false },
  { what: 'adopted', isThere: true },
])('an object whose answer was lost when it was $what keeps its rules', async ({ isThere }) => {
  const world = createAgentWorld();
  if (isThere) await byHand(world, stranger);
  let isLost = false;
  world.cluster.afterwards = (call) => {
    if (isLost || !isApplyOf('regions')(call)) return;
    isLost = true;
    throw new ClusterError('no answer', { status: 0, reason: 'ECONNRESET' });
  };
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(wanted()));
  const agent = await world.start();
  await world.clock.advance(600_000);
  await world.cycle(agent);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
  world.plane.withdraw(stack);
  await world.cycle(agent);
  if (isThere) expectReleased(world);
  else expect(regions(world)).toBeUndefined();
});

test("an adopted object that somebody deleted is made anew, and then is the stack's own", async () => {
  const { world, stack, agent } = await worldWithAdopted();
  await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'regions' });
  await world.clock.advance(400_000);
  await world.settle(agent);
  expect(regions(world)).toBeDefined();
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(regions(world)).toBeUndefined();
});

test("an object of a stranger's that took the place of the stack's own is adopted, not overwritten as its own", async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(wanted()));
  const agent = await world.start({ driftIntervalMs: 0 });
  await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'regions' });
  await byHand(world, stranger);
  world.plane.post(stack, yaml(configMap('regions', { primary: 'ap-3' })));
  await world.cycle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', details: { counts: { adopted: 1 } } });
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expectReleased(world);
});

test('adopted objects do not count as a mass deletion', async () => {
  const world = createAgentWorld();
  for (const manifest of configMaps(20)) await byHand(world, manifest);
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(20, { colour: 'blue' })));
  const agent = await world.start();
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', details: { counts: { released: 20 } } });
  expect(world.cluster.all().filter(({ metadata }) => metadata.name.startsWith('map-'))).toHaveLength(20);
});
