import { expect, test } from '@jest/globals';
import { ClusterError } from '../../agent/cluster/cluster.ts';
import { type AgentWorld, configMap, createAgentWorld, yaml } from './agent-world.ts';

const WEBHOOK_TIMEOUT_MS = 10_000;

/** Stacks whose objects a webhook that never answers has to admit. */
function hangingStacks(count: number): AgentWorld {
  const world = createAgentWorld();
  world.cluster.intercept = async ({ name }) => {
    if (!name.startsWith('hanging')) return;
    await world.clock.sleep(WEBHOOK_TIMEOUT_MS);
    throw new ClusterError('failed calling webhook: context deadline exceeded', { status: 500, reason: 'InternalError' });
  };
  for (let index = 0; index < count; index += 1) world.plane.post(world.plane.newStack(), yaml(configMap(`hanging-${index}`)));
  return world;
}

test('stacks behind a webhook that hangs hold up nobody once they failed', async () => {
  const world = hangingStacks(8);
  const agent = world.create();
  await agent.start();
  await world.clock.advance(2 * WEBHOOK_TIMEOUT_MS + 1_000);
  const stack = world.plane.newStack();
  for (let index = 0; index < 60; index += 1) {
    world.plane.post(stack, yaml(configMap('a', { turn: String(index) })));
    agent.wake();
    await world.clock.advance(1_000);
    expect(await world.data('a')).toEqual({ turn: String(index) });
  }
  const stopped = agent.stop();
  await world.clock.advance(WEBHOOK_TIMEOUT_MS);
  await stopped;
});

test('a stack that meets a webhook that hangs gives way at its first timeout', async () => {
  const world = hangingStacks(8);
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  const agent = world.create();
  await agent.start();
  await world.clock.advance(2 * WEBHOOK_TIMEOUT_MS + 1_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await world.clock.advance(240_000);
  expect(world.statuses().filter((status) => status === 'DEPLOY FAILURE')).toHaveLength(8);
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(world.objects()).toHaveLength(9);
  await agent.stop();
});
