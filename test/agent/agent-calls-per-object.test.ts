import { expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import { type AgentWorld, configMaps, createAgentWorld, namespace, widget, widgetDefinition, yaml } from './agent-world.ts';

const COUNT = 40;
const inTeam = configMaps(COUNT).map((object) => ({ ...object, metadata: { ...object.metadata, namespace: 'team' } }));
const widgets = Array.from({ length: COUNT }, (_, n) => widget(`w${n}`));
const byHand = ({ cluster }: AgentWorld, manifest: Manifest) => cluster.apply(manifest, { fieldManager: 'kubectl', force: true });

/** How often the agent called the cluster about the objects of the stack, by verb. */
async function callsFor(there: readonly Manifest[], contents: readonly Manifest[]): Promise<Record<string, number>> {
  const world = createAgentWorld();
  for (const manifest of there) await byHand(world, manifest);
  world.plane.post(world.plane.newStack(), yaml(...contents));
  const names = new Set([...inTeam, ...widgets].map(({ metadata }) => metadata.name));
  const calls: Record<string, number> = {};
  world.cluster.intercept = ({ verb, name }) => {
    if (names.has(name)) calls[verb] = (calls[verb] ?? 0) + 1;
  };
  await world.start();
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  return calls;
}

test.each([
  { what: 'in a Namespace that is there', there: [namespace('team')], contents: inTeam },
  { what: 'in a Namespace that comes with them', there: [], contents: [namespace('team'), ...inTeam] },
  { what: 'in a Namespace that comes with them and is there', there: [namespace('team')], contents: [namespace('team'), ...inTeam] },
  { what: 'of a kind that comes with them', there: [], contents: [widgetDefinition, ...widgets] },
])('a new object $what costs one dry run and one apply', async ({ there, contents }) => {
  expect(await callsFor(there, contents)).toEqual({ 'dry-run': COUNT, apply: COUNT });
});

test("a stranger's object costs two looks and one change of its fields' owners more", async () => {
  expect(await callsFor([namespace('team'), ...inTeam.slice(0, 5)], inTeam)).toEqual({ 'dry-run': COUNT, apply: COUNT, find: 10, take: 5 });
});
