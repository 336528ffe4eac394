import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Agent } from '../../agent/agent.ts';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, deployment, widget, widgetDefinition, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane, type ModelControlPlane } from './model-control-plane.ts';

const verbs = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = { customResourceDefinitions: true, additionalRules: [{ apiGroups: ['example.com'], resources: ['*'], verbs }] };

describeKubernetes('an agent on the Kubernetes API, with the rights of its chart', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  /** Started, and at rest. */
  async function start(...how: Parameters<AgentsOnKubernetes['start']>): Promise<Agent> {
    const agent = await agents.start(...how);
    await agent.settled();
    return agent;
  }
  async function cycle(agent: Agent): Promise<void> {
    agent.wake();
    await agent.settled();
  }
  const here = <M extends Manifest>(manifest: M): Manifest => ({ ...manifest, metadata: { ...manifest.metadata, namespace } });
  const names = async (plane: ModelControlPlane, kind = 'configmaps') =>
    (await kubernetes.kubectl(['get', kind, '-n', namespace, '-l', `brokkr.io/owner-id=${plane.agentId}`, '-o', 'name']))
      .split('\n')
      .filter(Boolean);
  const colour = (name: string) => kubernetes.kubectl(['get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.data.colour}']);

  test('create, update, prune, an invalid object, a deletion marker', async () => {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(here(configMap('life-a')), here(configMap('life-b'))));
    const agent = await start(plane);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS', message: '2 created' }]);
    expect(await names(plane)).toEqual(['configmap/life-a', 'configmap/life-b']);
    plane.post(stack, yaml(here(configMap('life-b', { colour: 'blue' })), here(configMap('life-c'))));
    await cycle(agent);
    expect(await names(plane)).toEqual(['configmap/life-b', 'configmap/life-c']);
    expect(await colour('life-b')).toBe('blue');
    plane.post(stack, yaml(here(configMap('life-b', { colour: 'green' })), here({ ...configMap('life-c'), data: { port: 80 } })));
    await cycle(agent);
    expect(await colour('life-b')).toBe('blue');
    expect(plane.events.at(-1)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining(`ConfigMap/${namespace}/life-c: `) });
    plane.post(stack, '', { marker: true });
    await cycle(agent);
    expect(await names(plane)).toEqual([]);
    expect(plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', message: '2 deleted' });
  }, 60_000);

  test('a Deployment is a success when its pods are ready', async () => {
    const plane = createModelControlPlane();
    plane.post(plane.newStack(), yaml(here(deployment('web'))));
    await start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS', details: { objects: [{ kind: 'Deployment', health: 'healthy' }] } }]);
  }, 60_000);

  test('drift is corrected, and a stack at rest is left as it is', async () => {
    const plane = createModelControlPlane();
    plane.post(
      plane.newStack(),
      yaml(here(configMap('drift-a')), here(configMap('drift-b')), here(configMap('drift-c')), here(deployment('drift'))),
    );
    await start(plane, { driftIntervalMs: 1_500 });
    await eventually(() => plane.events.length > 0);
    const version = () =>
      kubernetes.kubectl(['get', 'configmap', 'drift-c', '-n', namespace, '-o', 'jsonpath={.metadata.resourceVersion}']);
    const before = await version();
    await kubernetes.kubectl(['patch', 'configmap', 'drift-a', '-n', namespace, '--type=merge', '-p', '{"data":{"colour":"green"}}']);
    await kubernetes.kubectl(['delete', 'configmap', 'drift-b', '-n', namespace]);
    await eventually(async () => (await names(plane)).length === 3 && (await colour('drift-a')) === 'red');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const corrections = plane.events
      .slice(1)
      .map(({ message }) => message)
      .join('\n');
    expect(corrections).toContain(`ConfigMap/${namespace}/drift-a (data.colour had been changed by kubectl-patch)`);
    expect(corrections).toContain(`ConfigMap/${namespace}/drift-b (missing)`);
    expect(corrections).not.toContain('Deployment');
    expect(plane.events.length).toBeLessThanOrEqual(3);
    expect(await version()).toBe(before);
  }, 60_000);

  test('an object that can no longer be changed is reported, and drift of the others is corrected', async () => {
    const plane = createModelControlPlane();
    plane.post(plane.newStack(), yaml(here(configMap('frozen-a')), here(configMap('frozen-b'))));
    await start(plane, { driftIntervalMs: 1_500 });
    const patch = (name: string, fields: unknown) =>
      kubernetes.kubectl(['patch', 'configmap', name, '-n', namespace, '--type=merge', '-p', JSON.stringify(fields)]);
    await patch('frozen-a', { immutable: true, data: { colour: 'green' } });
    await patch('frozen-b', { data: { colour: 'green' } });
    await eventually(async () => (await colour('frozen-b')) === 'red');
    await eventually(() => plane.events.at(-1)?.status === 'FAILURE');
    expect(plane.events.at(-1)?.message).toContain(`ConfigMap/${namespace}/frozen-a: `);
    await kubernetes.kubectl(['delete', 'configmap', 'frozen-a', '-n', namespace]);
    await eventually(() => plane.events.at(-1)?.status === 'SUCCESS');
    expect(await colour('frozen-a')).toBe('red');
  }, 90_000);

  test('an object that is applied while it is being deleted is there when success is reported', async () => {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(here(configMap('leaving', {}, { finalizers: ['example.com/hold'] }))));
    const agent = await start(plane, { driftIntervalMs: 0 });
    await kubernetes.kubectl(['delete', 'configmap', 'leaving', '-n', namespace, '--wait=false']);
    plane.post(stack, yaml(here(configMap('leaving', { colour: 'blue' }))));
    await cycle(agent);
    await eventually(() => plane.events.length === 2);
    expect(plane.events.at(-1)?.status).toBe('SUCCESS');
    expect(await colour('leaving')).toBe('blue');
    expect(await names(plane)).toEqual(['configmap/leaving']);
  }, 60_000);

  test('a Job that finished and was cleared away does not run again', async () => {
    const plane = createModelControlPlane();
    const container = { name: 'main', image: 'migrate' };
    const spec = { ttlSecondsAfterFinished: 3600, template: { spec: { containers: [container], restartPolicy: 'Never' } } };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec };
    plane.post(plane.newStack(), yaml(here(job), here(configMap('beside'))));
    const agent = await start(plane, { driftIntervalMs: 1_000 });
    await eventually(() => plane.events.length > 0);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS', message: '2 created' }]);
    await agent.stop();
    await kubernetes.kubectl(['delete', 'job', 'migrate', '-n', namespace]);
    await start(plane, { driftIntervalMs: 1_000 });
    await kubernetes.kubectl(['delete', 'configmap', 'beside', '-n', namespace]);
    await eventually(async () => (await names(plane)).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await names(plane, 'jobs')).toEqual([]);
    expect(plane.events.every((event) => event.status === 'SUCCESS')).toBe(true);
  }, 60_000);

  test('a withdrawal while it was away is carried out by another process without its disk', async () => {
    const plane = createModelControlPlane();
    const [leaving, staying] = [plane.newStack(), plane.newStack()];
    plane.post(leaving, yaml(here(configMap('away-leaving'))));
    plane.post(staying, yaml(here(configMap('away-staying'))));
    await (await start(plane)).stop();
    plane.withdraw(leaving);
    await start(plane);
    expect(await names(plane)).toEqual(['configmap/away-staying']);
    expect(plane.events.filter(({ event_type }) => event_type === 'REMOVE')).toMatchObject([{ status: 'SUCCESS' }]);
  }, 60_000);

  test('two agents on one cluster leave each other alone', async () => {
    const [one, two] = [createModelControlPlane(), createModelControlPlane()];
    one.post(one.newStack(), yaml(here(configMap('shared'))));
    await start(one);
    two.post(two.newStack(), yaml(here(configMap('shared', { colour: 'blue' })), here(configMap('own'))));
    await start(two);
    expect(await colour('shared')).toBe('red');
    expect(await names(two)).toEqual([]);
    expect(two.events).toMatchObject([{ status: 'FAILURE', message: expect.stringContaining(`belongs to agent ${one.agentId}`) }]);
  }, 60_000);

  test('a definition and its resources in one stack, in a namespace it brings, come and go together', async () => {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    const fresh = `${namespace}-fresh`;
    const brought: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: fresh } };
    plane.post(stack, yaml({ ...widget('one'), metadata: { name: 'one', namespace: fresh } }, widgetDefinition, brought));
    const agent = await start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS', message: '3 created' }]);
    plane.withdraw(stack);
    await cycle(agent);
    await eventually(() => plane.events.some(({ event_type, status }) => event_type === 'REMOVE' && status === 'SUCCESS'));
    await expect(kubernetes.kubectl(['get', 'namespace', fresh])).rejects.toThrow('NotFound');
  }, 90_000);

  test('500 objects in one stack: applied, unchanged, changed', async () => {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    const contents = (value: string) => yaml(...Array.from({ length: 500 }, (_, index) => here(configMap(`many-${index}`, { value }))));
    const timed = async (run: () => Promise<unknown>): Promise<number> => {
      const startedMs = performance.now();
      await run();
      return Math.round(performance.now() - startedMs);
    };
    const agent = await start(plane, { massDeletion: 'allow' });
    const apply = async (text: string) => {
      plane.post(stack, text);
      await cycle(agent);
    };
    const [first, again, changed] = [
      await timed(() => apply(contents('1'))),
      await timed(() => apply(contents('1'))),
      await timed(() => apply(contents('2'))),
    ];
    expect(plane.events.map(({ status, message }) => `${status} ${message}`)).toEqual([
      'SUCCESS 500 created',
      'SUCCESS unchanged',
      'SUCCESS 500 configured',
    ]);
    expect(await names(plane)).toHaveLength(500);
    expect(again).toBeLessThan(500);
    plane.post(stack, '', { marker: true });
    await cycle(agent);
    expect(await names(plane)).toEqual([]);
    process.stderr.write(`500 objects: first ${first} ms, unchanged ${again} ms, changed ${changed} ms\n`);
  }, 120_000);
});
