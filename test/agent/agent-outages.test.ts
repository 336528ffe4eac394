import { expect, test } from '@jest/globals';
import { type Cluster, ClusterError } from '../../agent/cluster/cluster.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { createLog } from '../../lib/platform/log.ts';
import { configMap, configMaps, createAgentWorld, yaml } from './agent-world.ts';

const unreachable = () => new ClusterError('connect ECONNREFUSED', { status: 0, reason: 'Unreachable' });

test('a control plane that is dark for a day changes nothing, is asked at the usual pace, and finds the agent back', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  await world.start({ pollingIntervalMs: 120_000 });
  const before = JSON.stringify(world.cluster.all());
  world.plane.dark = true;
  world.plane.calls.splice(0);
  await world.clock.advance(86_400_000);
  expect(JSON.stringify(world.cluster.all())).toBe(before);
  expect(world.plane.calls.filter((call) => call === 'assignments').length).toBeLessThanOrEqual(86_400 / (120 * 0.5));
  world.plane.dark = false;
  world.plane.post(stack, yaml(configMap('b')));
  await world.clock.advance(240_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/b']);
});

test('an agent that restarts while the control plane is dark goes on correcting drift', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  await (await world.start()).stop();
  world.plane.dark = true;
  await world.start();
  await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
  await world.clock.advance(400_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  world.plane.dark = false;
  await world.clock.advance(120_000);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', message: 'corrected 1 object: ConfigMap/shop/a (missing)' });
});

test('without an earlier state an agent gives up on a control plane that is not ready in time', async () => {
  const world = createAgentWorld();
  world.plane.dark = true;
  const starting = expect(world.start()).rejects.toThrow('was not ready within 3 s');
  await world.clock.advance(5_000);
  await starting;
  expect(world.plane.calls.filter((call) => call === 'readyz')).toHaveLength(4);
});

test("state that is damaged or another agent's is ignored and deletes nothing", async () => {
  for (const text of [
    '{',
    '{}',
    JSON.stringify({
      version: 1,
      identity: { agent_id: 'x', agent_name: 'other', cluster_name: 'c', broker_url: 'u' },
      stacks: {},
      pending: [],
    }),
  ]) {
    const world = createAgentWorld();
    world.plane.post(world.plane.newStack(), yaml(configMap('a')));
    await (await world.start()).stop();
    const files = createMemoryFiles();
    await files.write('state.json', text);
    const agent = await world.start({}, { files });
    expect(world.objects()).toEqual(['ConfigMap/shop/a']);
    expect(new Set(world.statuses())).toEqual(new Set(['DEPLOY SUCCESS']));
    await agent.stop();
  }
});

test('a report that could not be delivered is delivered later, also by the next agent, and only the latest', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const first = world.plane.post(stack, yaml(configMap('a')));
  world.plane.intercept = (call) => {
    if (call === 'report') throw new Error('lost');
  };
  const agent = await world.start();
  const second = world.plane.post(stack, yaml(configMap('a', { colour: 'blue' })));
  await world.cycle(agent);
  await agent.stop();
  world.plane.intercept = undefined;
  await world.start();
  await world.clock.advance(120_000);
  expect(world.plane.events.map(({ deployment_object_id }) => deployment_object_id)).toEqual([second.id]);
  expect(first.id).not.toBe(second.id);
});

test('races and overload are tried again, without anybody hearing of them', async () => {
  const world = createAgentWorld();
  let troubles = 0;
  world.cluster.intercept = ({ verb, name }) => {
    if (verb !== 'apply' || !name.startsWith('map-') || ++troubles > 6) return;
    throw new ClusterError(
      'try again',
      troubles % 2 ? { status: 429, reason: 'TooManyRequests', retryAfterMs: 1_000 } : { status: 500, reason: 'InternalError' },
    );
  };
  world.plane.post(world.plane.newStack(), yaml(...configMaps(4)));
  await world.start();
  expect(world.objects()).toHaveLength(4);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
});

test('an answer that got lost after the effect is no failure', async () => {
  const world = createAgentWorld();
  let lost = 0;
  world.cluster.afterwards = ({ verb }) => {
    if (verb === 'apply' && ++lost <= 2) throw new ClusterError('socket hang up', { status: 0, reason: 'Unreachable' });
  };
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  await world.start();
  await world.clock.advance(60_000);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});

test('Kubernetes away: reported once, no hot loop, and all is well when it is back', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...configMaps(3)));
  const agent = await world.start();
  let calls = 0;
  world.cluster.intercept = ({ verb }) => {
    if (verb !== 'version') calls += 1;
    throw unreachable();
  };
  world.plane.post(stack, yaml(...configMaps(3, { colour: 'blue' })));
  await world.cycle(agent);
  await world.clock.advance(3_600_000);
  expect(calls).toBeLessThan(400);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY FAILURE']);
  expect(world.plane.events.at(-1)?.message).toContain('ECONNREFUSED');
  expect(world.plane.heartbeats.at(-1)).toEqual({ k8s_reachable: false });
  expect(await agent.health()).toMatchObject({ kubernetes: { connected: false }, broker: { connected: true } });
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(await world.data('map-001')).toEqual({ colour: 'blue' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY FAILURE', 'DEPLOY SUCCESS']);
});

test('the agent changes nothing until its inventories are read', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  world.plane.withdraw(stack);
  world.cluster.intercept = ({ verb }) => {
    if (verb === 'list') throw unreachable();
  };
  await world.start();
  await world.clock.advance(60_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  world.cluster.intercept = undefined;
  await world.clock.advance(60_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
});

test('a damaged inventory stops its stack, is reported, and deletes nothing', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  await (await world.start()).stop();
  const inventory = world.cluster.all().find(({ metadata }) => metadata.name.startsWith('brokkr-inventory-'));
  await world.cluster.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: inventory?.metadata.name ?? '', namespace: 'default' },
      data: { inventory: '{}' },
    },
    { fieldManager: 'user', force: true },
  );
  world.plane.withdraw(stack);
  await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(world.plane.events.at(-1)).toMatchObject({
    event_type: 'REMOVE',
    status: 'FAILURE',
    message: expect.stringContaining('no readable inventory'),
  });
});

test('the applied sequence never falls', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a', { version: 'new' })), { sequence: 9 });
  const agent = await world.start();
  world.plane.post(stack, yaml(configMap('a', { version: 'old' })), { sequence: 4 });
  await world.cycle(agent);
  await world.clock.advance(600_000);
  expect(await world.data('a')).toEqual({ version: 'new' });
  await agent.stop();
  await world.start({}, { files: createMemoryFiles() });
  await world.clock.advance(600_000);
  expect(await world.data('a')).toEqual({ version: 'new' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
});

test('a cluster that is dead when the agent starts is asked more and more seldom, told of without a stack trace, and found when it is back', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  const lines: string[] = [];
  let lists = 0;
  let dead = true;
  const cluster: Cluster = {
    ...world.cluster,
    list: (...args) => {
      lists++;
      return dead ? Promise.reject(unreachable()) : world.cluster.list(...args);
    },
  };
  await world.start({ pollingIntervalMs: 1_000 }, { cluster, log: createLog({ write: (line) => lines.push(line) }) });
  await world.clock.advance(3_600_000);
  expect(lists).toBeLessThan(100);
  const told = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'inventories_not_read');
  expect(told).toHaveLength(lists);
  for (const line of told) expect(line).toMatchObject({ reason: 'connect ECONNREFUSED', retry_in_ms: expect.any(Number) });
  expect(told.some((line) => 'error' in line)).toBe(false);

  dead = false;
  await world.clock.advance(120_000);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
});

test("lists that the API server is too busy for are no failure within the stack's own time-out", async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.stackAnnotationsOf.set(stack, { 'brokkr.io/health-timeout-seconds': '600' });
  const startedMs = world.clock.monotonicMs();
  world.cluster.intercept = ({ verb, kind, name }) => {
    const isBusy = world.plane.calls.includes('stack-annotations') && world.clock.monotonicMs() - startedMs < 200_000;
    if (isBusy && verb === 'list' && kind === 'ConfigMap' && name === '')
      throw new ClusterError('busy', { status: 429, reason: 'TooManyRequests' });
  };
  world.plane.post(stack, yaml(configMap('a')));
  await world.start();
  await world.clock.advance(400_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
});
