import { expect, test } from '@jest/globals';
import { ControlPlaneError } from '../../agent/control-plane/control-plane.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { makeAgent, makeGenerator, makeStack, ok, target } from '../fleet/fleet-builder.ts';
import { startTestHost } from '../harness/host.ts';
import { type AgentWorld, configMap, createAgentWorld, deployment, yaml } from './agent-world.ts';

const DRIFT_MS = 340_000;
const user = { fieldManager: 'user', force: true };
const reads = ({ plane }: AgentWorld) => plane.calls.filter((call) => call === 'stack-annotations').length;

function annotated(annotations: Record<string, string>): { world: AgentWorld; stack: string } {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.stackAnnotationsOf.set(stack, annotations);
  return { world, stack };
}

async function colourAfterDrift(world: AgentWorld): Promise<unknown> {
  await world.cluster.apply(configMap('a', { colour: 'green' }), user);
  await world.clock.advance(DRIFT_MS);
  return world.data('a');
}

test.each<{ promise: string; onObject: Record<string, string>; colour: string }>([
  { promise: 'drift of a stack that is annotated to be left alone is left alone', onObject: {}, colour: 'green' },
  { promise: 'an annotation on an object of the stack has the last word', onObject: { 'brokkr.io/stack-drift': 'correct' }, colour: 'red' },
])('$promise', async ({ onObject, colour }) => {
  const { world, stack } = annotated({ 'brokkr.io/stack-drift': 'ignore', unrelated: 'x' });
  world.plane.post(stack, yaml(configMap('a', { colour: 'red' }, { annotations: onObject })));
  await world.start();
  expect(await colourAfterDrift(world)).toEqual({ colour });
});

test('a stack may be annotated to want no more than to be applied, or another deadline', async () => {
  const { world, stack } = annotated({ 'brokkr.io/health': 'apply-only' });
  world.cluster.unattended.add('Deployment');
  world.plane.post(stack, yaml(deployment('one')));
  const slow = world.plane.newStack();
  world.plane.stackAnnotationsOf.set(slow, { 'brokkr.io/health-timeout-seconds': '5' });
  world.plane.post(slow, yaml(deployment('two')));
  await world.start();
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await world.clock.advance(6_000);
  expect(world.plane.events.at(-1)?.message).toContain('not healthy within 5 s');
});

test('the annotations of a stack are read for new contents and once an hour, not at each poll or look for drift', async () => {
  const { world, stack } = annotated({});
  world.plane.post(stack, yaml(configMap('a')));
  const agent = await world.start();
  await world.clock.advance(3_000_000);
  expect(reads(world)).toBe(1);
  world.plane.stackAnnotationsOf.set(stack, { 'brokkr.io/stack-drift': 'ignore' });
  await world.clock.advance(1_200_000);
  expect(reads(world)).toBe(2);
  expect(await colourAfterDrift(world)).toEqual({ colour: 'green' });
  world.plane.stackAnnotationsOf.delete(stack);
  world.plane.post(stack, yaml(configMap('a', { colour: 'blue' })));
  await world.cycle(agent);
  expect(reads(world)).toBe(3);
  expect(await colourAfterDrift(world)).toEqual({ colour: 'blue' });
});

test.each([403, 404])('a stack of a server that answers %i has no annotations', async (status) => {
  const { world, stack } = annotated({});
  world.plane.intercept = (call) => {
    if (call === 'stack-annotations') throw new ControlPlaneError('refused', 'not for agents', { status });
  };
  world.plane.post(stack, yaml(configMap('a')));
  await world.start();
  expect(await colourAfterDrift(world)).toEqual({ colour: 'red' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
  expect(reads(world)).toBe(1);
});

test('after a restart without the control plane, the annotations of a stack are as they were known', async () => {
  const { world, stack } = annotated({ 'brokkr.io/stack-drift': 'ignore' });
  world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  world.plane.dark = true;
  await world.start();
  expect(await colourAfterDrift(world)).toEqual({ colour: 'green' });
  world.plane.dark = false;
  world.plane.stackAnnotationsOf.delete(stack);
  await world.clock.advance(DRIFT_MS);
  expect(await world.data('a')).toEqual({ colour: 'red' });
});

test('the control plane tells an agent the annotations of its stacks', async () => {
  const host = await startTestHost();
  const generator = await makeGenerator(host);
  const [agent, stack] = [await makeAgent(host, { generators: [generator] }), await makeStack(host, generator)];
  await target(host, agent, stack);
  const annotation = { key: 'brokkr.io/stack-drift', value: 'ignore' };
  await ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, ...annotation }));
  const controlPlane = createHttpControlPlane({ baseUrl: host.url, pak: agent.pak });
  expect(await controlPlane.stackAnnotations(stack.id)).toEqual([annotation]);
  await controlPlane.close();
  await host.stop();
});
