import { expect, test } from '@jest/globals';
import { ClusterError } from '../../agent/cluster/cluster.ts';
import { configMap, createAgentWorld, namespace, yaml } from './agent-world.ts';

const DRIFT_MS = 340_000;
const user = { fieldManager: 'user', force: true };
const denied = () => new ClusterError('admission webhook "guard" denied the request', { status: 403, reason: 'Forbidden' });
const overloaded = () => new ClusterError('etcdserver: request timed out', { status: 500, reason: 'InternalError' });
const unreachable = () => new ClusterError('connect ECONNREFUSED', { status: 0, reason: 'Unreachable' });

test.each([
  { how: 'denied', error: denied },
  { how: 'that the API server fails', error: overloaded },
  { how: 'for which the connection is lost', error: unreachable },
])('a correction $how is a failure until it succeeded', async ({ error }) => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a'), configMap('b')));
  await world.start();
  await world.cluster.apply(configMap('a', { colour: 'green' }), user);
  world.cluster.intercept = ({ verb, name }) => {
    if (verb === 'apply' && name === 'a') throw error();
  };
  await world.clock.advance(DRIFT_MS + 600_000);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY FAILURE']);
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(await world.data('a')).toEqual({ colour: 'red' });
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'DEPLOY FAILURE', 'DEPLOY SUCCESS']);
});

test('an object that cannot be compared is reported, and holds up none of the others', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a'), configMap('b'), configMap('c')));
  const agent = await world.start();
  await world.cluster.apply(configMap('a', { colour: 'green' }), user);
  await world.cluster.apply(configMap('b', { colour: 'green' }), user);
  await world.cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'c' });
  world.cluster.intercept = ({ verb, name }) => {
    if (verb === 'dry-run' && name === 'a') throw new ClusterError('field is immutable', { status: 422, reason: 'Invalid' });
  };
  await world.clock.advance(DRIFT_MS);
  expect(await world.data('b')).toEqual({ colour: 'red' });
  expect(await world.data('c')).toEqual({ colour: 'red' });
  expect(world.plane.events[1]).toMatchObject({
    status: 'FAILURE',
    message: [
      'ConfigMap/shop/a: field is immutable',
      'not all objects could be compared with the stack; their drift is not known; corrected 2 objects: ConfigMap/shop/b (data.colour had been changed), ConfigMap/shop/c (missing)',
    ].join('\n'),
  });
  expect(await agent.metrics.registry.getSingleMetricAsString('brokkr_agent_drift_corrections_total')).toContain(
    'brokkr_agent_drift_corrections_total 2',
  );
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(await world.data('a')).toEqual({ colour: 'red' });
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});

test('an object that another agent took over is not tried, and drift of the others is corrected', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a'), configMap('b')));
  await world.start();
  await world.cluster.apply(configMap('a', { colour: 'green' }, { labels: { 'brokkr.io/owner-id': 'someone-else' } }), user);
  const calls: string[] = [];
  world.cluster.intercept = ({ verb, name }) => void calls.push(`${verb} ${name}`);
  for (const colour of ['green', 'blue']) {
    await world.cluster.apply(configMap('b', { colour }), user);
    calls.splice(0);
    await world.clock.advance(DRIFT_MS);
    expect(await world.data('b')).toEqual({ colour: 'red' });
    expect(calls).not.toContain('dry-run a');
  }
  expect(await world.data('a')).toEqual({ colour: 'green' });
  expect(world.plane.events.filter(({ message }) => message?.includes('corrected 1 object'))).toHaveLength(2);
  expect(world.plane.events.at(-1)?.message).toMatch(
    /^ConfigMap\/shop\/a: belongs to agent someone-else.*\nobjects of the stack belong to somebody else now/,
  );
});

test('a namespace that may not come back is told, and holds up nothing elsewhere', async () => {
  const world = createAgentWorld();
  const inside = { ...configMap('inside'), metadata: { name: 'inside', namespace: 'fresh' } };
  world.plane.post(world.plane.newStack(), yaml(namespace('fresh'), inside, configMap('a')));
  await world.start();
  await world.cluster.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'fresh' });
  await world.cluster.apply(configMap('a', { colour: 'green' }), user);
  world.cluster.intercept = ({ verb, kind }) => {
    if (verb === 'apply' && kind === 'Namespace') throw denied();
  };
  await world.clock.advance(DRIFT_MS);
  expect(await world.data('a')).toEqual({ colour: 'red' });
  expect(world.plane.events[1]).toMatchObject({
    status: 'FAILURE',
    message: expect.stringMatching(
      /^Namespace\/fresh: admission webhook .+\nConfigMap\/fresh\/inside: .+\nnot all drift could be corrected; it is tried again; corrected 1 object: /,
    ),
  });
  world.cluster.intercept = undefined;
  await world.clock.advance(600_000);
  expect(world.objects()).toEqual(['ConfigMap/fresh/inside', 'ConfigMap/shop/a', 'Namespace/fresh']);
  expect(world.statuses().at(-1)).toBe('DEPLOY SUCCESS');
});
