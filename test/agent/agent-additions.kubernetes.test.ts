import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

describeKubernetes('fields that others add to an object of a stack', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;
  beforeAll(async () => {
    agents = await agentsOnKubernetes({});
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const kubectl = (...args: string[]) => kubernetes.kubectl([...args, '-n', namespace]);
  const deployment = (name: string, annotations: Record<string, string> = {}): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, annotations: { 'brokkr.io/health': 'apply-only', ...annotations } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image: 'registry.example.com/web:1', env: [{ name: 'MODE', value: 'safe' }] }] },
      },
    },
  });
  const map = (name: string, metadata: object = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...metadata },
    data: { a: '1' },
  });

  /** An agent that looks for drift all the time, after its first success. */
  async function stackOf(...objects: Manifest[]) {
    const plane = createModelControlPlane();
    plane.post(plane.newStack(), yaml(...objects));
    await agents.start(plane, { driftIntervalMs: 500 });
    await eventually(() => plane.events.length > 0);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS' }]);
    return plane;
  }
  const containers = async (name: string) =>
    JSON.parse(await kubectl('get', 'deployment', name, '-o', 'jsonpath={.spec.template.spec.containers}'));
  const addByHand = (name: string) =>
    kubectl(
      'patch',
      'deployment',
      name,
      '-p',
      JSON.stringify({
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'web', env: [{ name: 'DEBUG', value: 'yes' }] },
                { name: 'extra', image: 'extra:1' },
              ],
            },
          },
        },
      }),
    );

  test('a container and a variable that kubectl added are taken away, and named with who added them', async () => {
    const plane = await stackOf(deployment('corrected'));
    await addByHand('corrected');
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]?.message).toMatch(
      /^corrected 1 object: Deployment\/.*corrected \(spec\.template\.spec\.containers\[.\].*had been added by kubectl-patch\)/,
    );
    expect(await containers('corrected')).toMatchObject([{ name: 'web', env: [{ name: 'MODE', value: 'safe' }] }]);
  }, 60_000);

  test('they stay, and are told once, with the policy to report', async () => {
    const plane = await stackOf(deployment('reported', { 'brokkr.io/drift': 'report' }), map('beside'));
    await addByHand('reported');
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]?.message).toContain('had been added by kubectl-patch');
    expect(await containers('reported')).toHaveLength(2);
    await kubectl('patch', 'configmap', 'beside', '-p', '{"data":{"a":"2"}}');
    await eventually(async () => (await kubectl('get', 'configmap', 'beside', '-o', 'jsonpath={.data.a}')) === '1');
    expect(plane.events.filter(({ message }) => message?.includes('drifted and stays'))).toHaveLength(1);
  }, 60_000);

  test('what another field manager applies beside the stack is told and stays', async () => {
    const plane = await stackOf(map('shared'));
    const theirs = JSON.stringify({ ...map('shared'), data: { theirs: '2' } });
    await kubernetes.kubectl(['apply', '--server-side', '--field-manager=platform-team', '-f', '-'], theirs);
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]?.message).toContain('data.theirs had been added by platform-team');
    expect(await kubectl('get', 'configmap', 'shared', '-o', 'jsonpath={.data}')).toBe('{"a":"1","theirs":"2"}');
  }, 60_000);

  test('labels, a rollout that kubectl restarts, a scale and ignored fields are left alone, and told of by nobody', async () => {
    const plane = await stackOf(deployment('left', { 'brokkr.io/ignore-fields': '/spec/template/spec/nodeSelector' }));
    await kubectl('label', 'deployment', 'left', 'team=shop');
    await kubectl('rollout', 'restart', 'deployment/left');
    await kubectl('scale', 'deployment/left', '--replicas=2');
    await kubectl('patch', 'deployment', 'left', '-p', '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}');
    await kubectl('patch', 'deployment', 'left', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"other:1"}]}}}}');
    await eventually(() => plane.events.length > 1);
    expect(plane.events[1]?.message).toMatch(
      /^corrected 1 object: .*spec\.template\.spec\.containers\[0\]\.image had been changed by kubectl-patch\)$/,
    );
    const spec = JSON.parse(await kubectl('get', 'deployment', 'left', '-o', 'jsonpath={.spec}'));
    expect(spec).toMatchObject({ replicas: 2, template: { spec: { nodeSelector: { disk: 'ssd' } } } });
    expect(spec.template.metadata.annotations).toHaveProperty(['kubectl.kubernetes.io/restartedAt']);
  }, 60_000);

  test('what an adopted object had before stays, and what is added later is told and stays', async () => {
    const before = JSON.stringify({ ...map('adopted'), data: { a: '0', before: '1' } });
    await kubernetes.kubectl(['apply', '-f', '-'], before);
    const plane = await stackOf(map('adopted'), map('witness'));
    await kubectl('patch', 'configmap', 'witness', '-p', '{"data":{"late":"1"}}');
    await eventually(async () => (await kubectl('get', 'configmap', 'witness', '-o', 'jsonpath={.data}')) === '{"a":"1"}');
    expect(await kubectl('get', 'configmap', 'adopted', '-o', 'jsonpath={.data}')).toBe('{"a":"1","before":"1"}');
    // The times of field owners count whole seconds.
    await eventually(async () => {
      await kubectl('patch', 'configmap', 'adopted', '-p', '{"data":{"late":"1"}}');
      return plane.events.some(({ message }) => message?.includes('data.late had been added by kubectl-patch'));
    });
    expect(await kubectl('get', 'configmap', 'adopted', '-o', 'jsonpath={.data}')).toBe('{"a":"1","before":"1","late":"1"}');
  }, 60_000);
});
