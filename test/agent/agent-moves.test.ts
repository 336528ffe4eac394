import { expect, test } from '@jest/globals';
import { ControlPlaneError } from '../../agent/control-plane/control-plane.ts';
import { configMap, createAgentWorld, yaml } from './agent-world.ts';

const TAKES_OVER = 'brokkr.io/takes-over';
const MOVING = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'moves' };

/** Two stacks; the first has an object that is to move to the second. */
async function twoStacks() {
  const world = createAgentWorld();
  const [giver, taker] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(giver, yaml(configMap('moves', { colour: 'red' }), configMap('stays')));
  world.plane.post(taker, yaml(configMap('other')));
  const agent = await world.start();
  const uid = async () =>
    (await world.cluster.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'moves' }))?.metadata.uid;
  return { world, giver, taker, agent, uid, before: await uid() };
}
const withoutIt = yaml(configMap('stays'));
const withIt = yaml(configMap('moves', { colour: 'red' }), configMap('other'));

test('an object that belongs to another stack is refused, and the refusal says how to move it', async () => {
  const { world, giver, taker, agent, uid, before } = await twoStacks();
  world.plane.post(taker, withIt);
  await world.cycle(agent);
  const said = world.plane.events.at(-1)?.message;
  expect(said).toContain(`set this stack's annotation ${TAKES_OVER} to ${giver}`);
  expect(said).toContain('brokkr.io/keep');
  expect(await uid()).toBe(before);

  // The annotation is read at the next try; nothing has to be posted anew.
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  await world.clock.advance(60_000);
  await world.settle(agent);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS' });
  world.plane.post(giver, withoutIt);
  await world.cycle(agent);
  expect(await uid()).toBe(before);
});

test('an object moves without being deleted when both stacks change at once', async () => {
  const { world, giver, taker, agent, uid, before } = await twoStacks();
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.plane.post(giver, withoutIt);
  world.plane.post(taker, withIt);
  await world.cycle(agent);
  await world.clock.advance(60_000);
  await world.settle(agent);
  expect(await uid()).toBe(before);
  expect(world.statuses().slice(2)).toEqual(expect.arrayContaining(['DEPLOY SUCCESS', 'DEPLOY SUCCESS']));
  expect(world.statuses()).not.toContain('DEPLOY FAILURE');
  world.plane.withdraw(taker);
  await world.cycle(agent);
  expect(await uid()).toBeUndefined();
});

test('a stack that is withdrawn waits for the one that takes its objects over', async () => {
  const { world, giver, taker, agent, uid, before } = await twoStacks();
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.plane.withdraw(giver);
  world.plane.post(taker, withIt);
  await world.cycle(agent);
  await world.clock.advance(60_000);
  await world.settle(agent);
  expect(await uid()).toBe(before);
  expect(world.objects()).toEqual(['ConfigMap/shop/moves', 'ConfigMap/shop/other']);
});

test('the stack that still has an object which another one took over is told so', async () => {
  const { world, giver, taker, agent } = await twoStacks();
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.plane.post(taker, withIt);
  await world.cycle(agent);
  await world.clock.advance(400_000);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining(`belongs to stack ${taker}`) });
});

test('nothing is deleted while it is not known whether another stack takes it over', async () => {
  const { world, giver, taker, agent, uid, before } = await twoStacks();
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.plane.intercept = (call) => {
    if (call === 'stack-annotations') throw new ControlPlaneError('unreachable', 'no answer');
  };
  world.plane.post(giver, withoutIt);
  world.plane.post(taker, withIt);
  await world.cycle(agent);
  expect(await uid()).toBe(before);
  world.plane.intercept = undefined;
  await world.clock.advance(900_000);
  await world.settle(agent);
  expect(await uid()).toBe(before);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS' });
});

test('an object that was taken over while its former stack was being applied is not deleted with it', async () => {
  const world = createAgentWorld();
  const [giver, taker] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(giver, yaml(configMap('moves'), configMap('stays')));
  world.plane.post(taker, yaml(configMap('other')));
  const agent = await world.start();
  const uid = async () => (await world.cluster.find(MOVING))?.metadata.uid;
  const before = await uid();
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.cluster.intercept = async ({ verb, name }) => {
    if (verb === 'apply' && name === 'stays') await world.clock.sleep(20_000);
  };
  world.plane.post(giver, yaml(configMap('stays', { colour: 'blue' })));
  world.plane.post(taker, yaml(configMap('moves'), configMap('other')));
  await world.cycle(agent);
  await world.clock.advance(60_000);
  await world.settle(agent);
  expect(await uid()).toBe(before);
});

test('a stack that still has an object which another one took over does not take it back, nor delete it later', async () => {
  const world = createAgentWorld();
  const [giver, taker] = [world.plane.newStack(), world.plane.newStack()];
  world.plane.post(giver, yaml(configMap('moves'), configMap('stays')));
  world.plane.post(taker, yaml(configMap('other')));
  const agent = await world.start();
  const before = (await world.cluster.find(MOVING))?.metadata.uid;
  world.plane.stackAnnotationsOf.set(taker, { [TAKES_OVER]: giver });
  world.plane.post(taker, yaml(configMap('moves'), configMap('other')));
  await world.cycle(agent);
  world.plane.post(giver, yaml(configMap('moves'), configMap('stays', { colour: 'blue' })));
  await world.cycle(agent);
  const label = (await world.cluster.find(MOVING))?.metadata.labels?.['k8s.brokkr.io/stack'];
  world.plane.post(giver, yaml(configMap('stays', { colour: 'blue' })));
  await world.cycle(agent);
  expect([(await world.cluster.find(MOVING))?.metadata.uid, label]).toEqual([before, taker]);
});
