import { expect, test } from '@jest/globals';
import type { KnownAssignments } from '../../agent/control-plane/control-plane.ts';
import { configMaps, createAgentWorld, yaml } from './agent-world.ts';

test('asked to stop, it ends the object in hand and begins no other; the next agent goes on', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(...configMaps(30)));
  let stopping: Promise<void> | undefined;
  const agents: { stop(): Promise<void> }[] = [];
  let applies = 0;
  world.cluster.intercept = async ({ verb, name }) => {
    if (verb !== 'apply' || !name.startsWith('map-') || ++applies !== 8) return;
    stopping = agents[0]?.stop();
    await Promise.resolve();
  };
  world.plane.status = 'INACTIVE';
  const agent = await world.start();
  agents.push(agent);
  world.plane.status = 'ACTIVE';
  world.plane.touch();
  agent.wake();
  await world.clock.flush();
  await stopping;
  expect(world.objects().length).toBeGreaterThanOrEqual(8);
  expect(world.objects().length).toBeLessThan(8 + 4);
  expect(world.plane.events).toEqual([]);
  world.cluster.intercept = undefined;
  await world.start();
  expect(world.objects()).toHaveLength(30);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
});

/** How often an agent with so many stacks asks for the whole list in four hours, whatever it knows. */
async function wholeListsInFourHours(stacks: number): Promise<number> {
  const world = createAgentWorld();
  world.plane.status = 'INACTIVE';
  for (let n = 0; n < stacks; n++) world.plane.post(world.plane.newStack(), yaml(...configMaps(1)));
  let whole = 0;
  const controlPlane = {
    ...world.plane,
    assignments: (id: string, known: KnownAssignments | undefined) => {
      if (known === undefined) whole += 1;
      return world.plane.assignments(id, known);
    },
  };
  const agent = await world.start({ pollingIntervalMs: 60_000 }, { controlPlane });
  whole = 0;
  await world.clock.advance(4 * 3_600_000);
  await agent.stop();
  return whole;
}

test('an agent with few stacks asks for the whole list every quarter of an hour or so', async () => {
  const whole = await wholeListsInFourHours(1);
  expect(whole).toBeGreaterThanOrEqual(13);
  expect(whole).toBeLessThanOrEqual(20);
});

test('an agent with a hundred stacks asks for the whole list every hour or so', async () => {
  const whole = await wholeListsInFourHours(100);
  expect(whole).toBeGreaterThanOrEqual(3);
  expect(whole).toBeLessThanOrEqual(5);
});

test('heartbeats that fail hold up nothing, and come ten seconds apart however fast it polls', async () => {
  const world = createAgentWorld();
  world.plane.intercept = (call) => {
    if (call === 'heartbeat') throw new Error('lost');
  };
  world.plane.post(world.plane.newStack(), yaml(...configMaps(1)));
  await world.start({ pollingIntervalMs: 1_000 });
  expect(world.objects()).toHaveLength(1);
  world.plane.calls.splice(0);
  await world.clock.advance(100_000);
  expect(world.plane.calls.filter((call) => call === 'heartbeat').length).toBeLessThanOrEqual(10);
  expect(world.plane.calls.filter((call) => call === 'assignments').length).toBeGreaterThan(100);
});

test('a stack that stays wrong is tried again ever more slowly, and told once', async () => {
  const world = createAgentWorld();
  world.plane.post(
    world.plane.newStack(),
    yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'Not_A_Name', namespace: 'shop' } }),
  );
  let tries = 0;
  world.cluster.intercept = ({ verb }) => void (verb === 'dry-run' && tries++);
  await world.start();
  await world.clock.advance(3_600_000);
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(30);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
});
