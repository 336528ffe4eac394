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

  /** What the agent's event says of this text. */
  async function told(text: string): Promise<string> {
    const plane = createModelControlPlane();
    plane.post(plane.newStack(), text);
    await agents.start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events[0]?.status).toBe('FAILURE');
    return plane.events[0]?.message ?? '';
  }

  test.each([
    { what: 'a ConfigMap', key: '.data.country', text: 'kind: ConfigMap\ndata: {country: NO, name: shop}' },
    { what: 'a Secret', key: '.stringData.pin', text: 'kind: Secret\nstringData: {pin: 4711}' },
    {
      what: 'an environment',
      key: '.env[name="A"].value',
      text: 'kind: Pod\nspec: {containers: [{name: a, image: b, env: [{name: A, value: on}]}]}',
    },
    { what: 'labels', key: 'metadata.labels.country', text: 'kind: ConfigMap', metadata: 'labels: {country: NO}' },
    { what: 'annotations', key: 'metadata.annotations.rate', text: 'kind: ConfigMap', metadata: 'annotations: {rate: 1.5}' },
  ])('what kubectl refuses in $what since it is no text is named, with the word to quote it', async ({ key, text, metadata = '' }) => {
    const manifest = `apiVersion: v1\nmetadata: {name: unquoted, namespace: ${namespace}, ${metadata}}\n${text}\n`;
    await expect(kubernetes.kubectl(['apply', '--dry-run=server', '-f', '-'], manifest)).rejects.toThrow('cannot unmarshal');
    const message = await told(manifest);
    expect(message).toContain(`${key}: `);
    expect(message).toContain('put it in quotes');
    expect(message).not.toMatch(/4711|1\.5|false|true/);
  });

  test('all labels and annotations that have to be quoted are named at once', async () => {
    const metadata = `{name: many, namespace: ${namespace}, labels: {a: 1, b: x, c: yes}, annotations: {d: 2.5}}`;
    const message = await told(`apiVersion: v1\nkind: ConfigMap\nmetadata: ${metadata}\n`);
    for (const key of ['labels.a', 'labels.c', 'annotations.d'])
      expect(message).toContain(`metadata.${key}: must be a string: put it in quotes`);
  });
});
