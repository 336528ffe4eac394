import { expect, test } from '@jest/globals';
import { configMap, createAgentWorld, deployment, yaml } from './agent-world.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const available = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: [
    { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
  ],
};

function slowWorld() {
  const world = createAgentWorld();
  world.cluster.unattended.add('Deployment');
  return world;
}

test('success is told only when everything is healthy, and then soon', async () => {
  const world = slowWorld();
  world.plane.post(world.plane.newStack(), yaml(deployment('web'), configMap('a')));
  await world.start();
  await world.clock.advance(20_000);
  expect(world.statuses()).toEqual([]);
  world.cluster.setStatus(web, available);
  await world.clock.advance(1_100);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  expect(world.plane.events[0]?.details?.objects).toContainEqual(expect.objectContaining({ kind: 'Deployment', health: 'healthy' }));
});

test('an object that is not healthy in time is reported as a failure by its name, and as a success once it is', async () => {
  const world = slowWorld();
  world.plane.post(world.plane.newStack(), yaml(deployment('web'), configMap('a')));
  await world.start();
  await world.clock.advance(61_000);
  expect(world.plane.events).toMatchObject([
    { status: 'FAILURE', message: expect.stringMatching(/^Deployment\/shop\/web: .+\napplied, but not healthy within 60 s$/) },
  ]);
  await world.clock.advance(3_600_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  world.cluster.setStatus(web, available);
  await world.clock.advance(600_000);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE', 'DEPLOY SUCCESS']);
});

test('a definite failure is reported at once', async () => {
  const world = slowWorld();
  world.plane.post(world.plane.newStack(), yaml(deployment('web')));
  await world.start();
  world.cluster.setStatus(web, {
    observedGeneration: 1,
    conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'image not found' }],
  });
  await world.clock.advance(2_000);
  expect(world.plane.events).toMatchObject([{ status: 'FAILURE', message: expect.stringContaining('Deployment/shop/web: ') }]);
});

test('a stack may want no more than to be applied, or another deadline', async () => {
  const world = slowWorld();
  world.plane.post(world.plane.newStack(), yaml(deployment('one', { annotations: { 'brokkr.io/health': 'apply-only' } })));
  world.plane.post(world.plane.newStack(), yaml(deployment('two', { annotations: { 'brokkr.io/health-timeout-seconds': '5' } })));
  await world.start();
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await world.clock.advance(6_000);
  expect(world.plane.events.at(-1)?.message).toContain('not healthy within 5 s');
});

test('stacks that wait for health hold up nobody, and newer contents end the wait', async () => {
  const world = slowWorld();
  const waiting = Array.from({ length: 10 }, (_, index) => {
    const stack = world.plane.newStack();
    world.plane.post(stack, yaml(deployment(`web-${index}`)));
    return stack;
  });
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  const agent = await world.start({ stackParallelism: 1 });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  world.plane.post(waiting[0] ?? '', yaml(configMap('instead')));
  await world.cycle(agent);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']);
  expect(world.objects()).not.toContain('Deployment/shop/web-0');
});
