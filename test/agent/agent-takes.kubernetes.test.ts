import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

describeKubernetes('an agent takes what kubectl takes', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;
  beforeAll(async () => {
    agents = await agentsOnKubernetes({});
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const read = async (name: string, path: string) =>
    kubernetes.kubectl(['get', 'configmap', name, '-n', namespace, '-o', `jsonpath={${path}}`]);

  test('an object that was exported with `kubectl get -o yaml`, also after the live one has changed', async () => {
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: ${namespace}}\ndata: {requests: "10"}\n`;
    await kubernetes.kubectl(['apply', '-f', '-'], map);
    const exported = await kubernetes.kubectl(['get', 'configmap', 'limits', '-n', namespace, '-o', 'yaml', '--show-managed-fields']);
    expect(exported).toContain('resourceVersion');
    await kubernetes.kubectl(['annotate', 'configmap', 'limits', '-n', namespace, 'by=hand']);
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, exported);
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length > 0);
    plane.post(stack, exported.replace('requests: "10"', 'requests: "20"'));
    agent.wake();
    await eventually(() => plane.events.length > 1);
    expect(plane.events.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await read('limits', '.data.requests')).toBe('20');
  }, 60_000);

  test('labels and annotations without a value', async () => {
    const plane = createModelControlPlane();
    const metadata = `name: empty\n  namespace: ${namespace}\n  labels:\n    app: shop\n    branch:\n  annotations:\n    example.com/ticket:\n`;
    plane.post(plane.newStack(), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  ${metadata}`);
    await agents.start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events[0]).toMatchObject({ status: 'SUCCESS' });
    expect(JSON.parse(await read('empty', '.metadata.labels'))).toMatchObject({ app: 'shop', branch: '' });
  }, 60_000);
});
