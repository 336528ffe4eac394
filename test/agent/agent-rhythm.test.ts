import { expect, test } from '@jest/globals';
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
  const next = await world.start();
  expect(world.objects()).toHaveLength(30);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  await next.stop();
});

test('every quarter of an hour or so it asks without an ETag', async () => {
  const world = createAgentWorld();
  const etags: (string | undefined)[] = [];
  const controlPlane = {
    ...world.plane,
    assignments: (id: string, etag: string | undefined) => {
      etags.push(etag);
      return world.plane.assignments(id, etag);
    },
  };
  const agent = await world.start({}, { controlPlane });
  etags.splice(0);
  await world.clock.advance(3_600_000);
  const unconditional = etags.filter((etag) => etag === undefined).length;
  expect(unconditional).toBeGreaterThanOrEqual(3);
  expect(unconditional).toBeLessThanOrEqual(5);
  await agent.stop();
});

test('heartbeats that fail hold up nothing, and come ten seconds apart however fast it polls', async () => {
  const world = createAgentWorld();
  world.plane.intercept = (call) => {
    if (call === 'heartbeat') throw new Error('lost');
  };
  world.plane.post(world.plane.newStack(), yaml(...configMaps(1)));
  const agent = await world.start({ pollingIntervalMs: 1_000 });
  expect(world.objects()).toHaveLength(1);
  world.plane.calls.splice(0);
  await world.clock.advance(100_000);
  expect(world.plane.calls.filter((call) => call === 'heartbeat').length).toBeLessThanOrEqual(10);
  expect(world.plane.calls.filter((call) => call === 'assignments').length).toBeGreaterThan(100);
  await agent.stop();
});

test('a stack that stays wrong is tried again ever more slowly, and told once', async () => {
  const world = createAgentWorld();
  world.plane.post(
    world.plane.newStack(),
    yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'Not_A_Name', namespace: 'shop' } }),
  );
  let tries = 0;
  world.cluster.intercept = ({ verb }) => void (verb === 'dry-run' && tries++);
  const agent = await world.start();
  await world.clock.advance(3_600_000);
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(30);
  expect(world.statuses()).toEqual(['DEPLOY FAILURE']);
  await agent.stop();
});
