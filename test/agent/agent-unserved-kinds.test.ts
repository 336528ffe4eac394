import { expect, test } from '@jest/globals';
import { ClusterError, type Manifest } from '../../agent/cluster/cluster.ts';
import { type AgentWorld, configMap, createAgentWorld, widget, widgetDefinition, yaml } from './agent-world.ts';

const definition = (versions: Record<string, boolean>): Manifest => ({
  ...widgetDefinition,
  spec: {
    ...(widgetDefinition.spec as object),
    versions: Object.entries(versions).map(([name, served]) => ({ name, served, storage: name === 'v1' })),
  },
});
const oldWidget = { ...widget('one'), apiVersion: 'example.com/v1beta1' };
const definitionRef = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'widgets.example.com' };

/** Somebody else's hand on the cluster. */
const byHand = ({ cluster }: AgentWorld, manifest: Manifest) => cluster.apply(manifest, { fieldManager: 'kubectl', force: true });
const widgets = ({ cluster }: AgentWorld) => cluster.all().filter(({ kind }) => kind === 'Widget').length;
const isInInventory = ({ cluster }: AgentWorld) =>
  cluster.all().some(({ metadata, data }) => metadata.name.startsWith('brokkr-inventory') && JSON.stringify(data).includes('Widget'));

async function worldWithWidget(contents: Manifest = oldWidget) {
  const world = createAgentWorld();
  await byHand(world, definition({ v1beta1: true, v1: true }));
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(contents, configMap('other')));
  const agent = await world.start();
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  return { world, stack, agent };
}

test('an object whose version is no longer served is deleted in another version when it leaves its stack', async () => {
  const { world, stack, agent } = await worldWithWidget();
  await byHand(world, definition({ v1beta1: false, v1: true }));
  world.plane.post(stack, yaml(configMap('other')));
  await world.cycle(agent);
  expect(widgets(world)).toBe(0);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});

test.each([
  { when: 'it leaves its stack', remove: ({ plane }: AgentWorld, stack: string) => void plane.post(stack, yaml(configMap('other'))) },
  { when: 'its stack is withdrawn', remove: ({ plane }: AgentWorld, stack: string) => plane.withdraw(stack) },
  { when: 'a deletion marker is posted', remove: ({ plane }: AgentWorld, stack: string) => void plane.post(stack, '', { marker: true }) },
])('an object of a kind that is served in no version stays in the inventory when $when', async ({ remove }) => {
  const { world, stack, agent } = await worldWithWidget();
  await byHand(world, definition({ v1beta1: false, v1: false }));
  remove(world, stack);
  await world.cycle(agent);
  expect(isInInventory(world)).toBe(true);
  expect(world.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: expect.stringMatching(/^Widget\/shop\/one: .*does not serve the kind example.com\/v1beta1 Widget[\s\S]*nothing is forgotten/),
  });

  await byHand(world, definition({ v1beta1: false, v1: true }));
  await world.clock.advance(600_000);
  await world.cycle(agent);
  expect(widgets(world)).toBe(0);
  expect(isInInventory(world)).toBe(false);
  expect(world.plane.events.at(-1)?.status).toBe('SUCCESS');
});

test("an object whose kind's own server is away stays in the inventory, and the rest of the stack goes on", async () => {
  const { world, stack, agent } = await worldWithWidget();
  world.cluster.intercept = ({ verb, kind }) => {
    if (verb === 'list' && kind === 'Widget')
      throw new ClusterError('the server of example.com/v1 does not answer', { status: 503, reason: 'ServiceUnavailable' });
  };
  world.plane.post(stack, yaml(configMap('other', { colour: 'blue' })));
  await world.cycle(agent);
  expect(await world.data('other')).toEqual({ colour: 'blue' });
  expect(isInInventory(world)).toBe(true);
  expect(world.statuses().at(-1)).toBe('DEPLOY FAILURE');
});

test("an object is not applied over while it can't be looked for", async () => {
  const world = createAgentWorld();
  world.cluster.intercept = ({ verb, kind }) => {
    if (verb === 'list' && kind === 'Secret') throw new ClusterError('overloaded', { status: 503, reason: 'ServiceUnavailable' });
  };
  world.plane.post(world.plane.newStack(), yaml({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'shop' } }));
  await world.start();
  expect(world.objects()).toEqual([]);
  expect(world.statuses()).toEqual([]);
  await world.clock.advance(120_000);
  expect(world.objects()).toEqual([]);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
});

test('objects of a kind that their stack defined itself are gone with a definition that somebody deleted', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(widgetDefinition, widget('one')));
  const agent = await world.start();
  await world.cluster.delete(definitionRef);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
  expect(world.cluster.all().filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
});

test('a stack whose inventory is lost is not said to be removed while one of its kinds is not served', async () => {
  const { world, stack, agent } = await worldWithWidget({ ...oldWidget, apiVersion: 'example.com/v1' });
  await agent.stop();
  for (const { metadata } of world.cluster.all().filter(({ metadata: { name } }) => name.startsWith('brokkr-inventory')))
    await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: metadata.name });
  await byHand(world, definition({ v1beta1: false, v1: false }));
  world.plane.withdraw(stack);
  const next = await world.start();
  expect(world.plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'FAILURE' });
  await byHand(world, definition({ v1beta1: false, v1: true }));
  await world.clock.advance(600_000);
  await world.cycle(next);
  expect(widgets(world)).toBe(0);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

test('a kind that is not served for a moment, since its definition changed, is no failure', async () => {
  const { world, stack, agent } = await worldWithWidget();
  let refusals = 0;
  world.cluster.intercept = ({ verb, kind }) => {
    if (verb !== 'list' || kind !== 'Widget' || refusals === 2) return;
    refusals += 1;
    throw new ClusterError('storage is (re)initializing', { status: 429, reason: 'TooManyRequests', retryAfterMs: 1_000 });
  };
  world.plane.post(stack, yaml(configMap('other')));
  await world.cycle(agent);
  expect(widgets(world)).toBe(0);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
});
