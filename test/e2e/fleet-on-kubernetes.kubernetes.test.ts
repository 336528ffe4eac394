import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Cluster } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import { installAgentIdentity } from '../agent/chart-identity.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { configMap, type Enlisted, eventually, type FleetWorld, startFleetWorld } from './fleet-world.ts';

/**
 * From YAML that is posted to the API to objects in a real cluster. The agent has only the rights of the chart's ServiceAccount. kubectl
 * has the administrator's rights and is used for assertions.
 */
const CRD_RULES = [
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
  },
  { apiGroups: ['e2e.example.com'], resources: ['*'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
];

describeKubernetes('an agent on a real API server', () => {
  let kubernetes: TestCluster;
  let world: FleetWorld;
  let cluster: Cluster;
  let home: string;
  let agent: Enlisted;
  let stop: () => Promise<void>;

  const found = async (namespace: string, kind: string, name: string) => {
    const text = await kubernetes.kubectl(['-n', namespace, 'get', kind, name, '--ignore-not-found', '-o', 'json']);
    return text.trim() === '' ? undefined : JSON.parse(text);
  };
  const present = (namespace: string, kind: string, name: string) => eventually(`${kind} ${name}`, () => found(namespace, kind, name));
  const gone = (namespace: string, kind: string, name: string) =>
    eventually(`${kind} ${name} to go`, async () => ((await found(namespace, kind, name)) ? undefined : true));
  const succeeded = { status: 'SUCCESS' };

  beforeAll(async () => {
    [kubernetes, world] = await Promise.all([testCluster(), startFleetWorld()]);
    home = await createTestNamespace(kubernetes, 'agent');
    const kubeconfigPath = await installAgentIdentity(kubernetes, { namespace: home, values: { rbac: { additionalRules: CRD_RULES } } });
    cluster = await createKubernetesCluster({ kubeconfigPath });
    agent = await world.enlist('edge');
    const running = await agent.run(cluster, { inventoryNamespace: home, driftIntervalMs: 1_000 });
    stop = () => running.stop();
  }, 180_000);
  afterAll(async () => {
    await world?.stop();
    await cluster?.close();
  });

  test('a posted stack is applied, changed and pruned, and each step is reported', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('web');
    await agent.target(stack.id);
    const first = await stack.submit(`${configMap(namespace, 'a', 'one')}---\n${configMap(namespace, 'b', 'one')}`);
    expect(await agent.event(first)).toMatchObject(succeeded);
    const a = await found(namespace, 'configmap', 'a');
    expect(a.metadata).toMatchObject({
      annotations: { 'k8s.brokkr.io/stack': stack.id, 'brokkr.io/owner-id': agent.id, 'brokkr.io/deployment-object-id': first },
      labels: { 'k8s.brokkr.io/stack': stack.id, 'brokkr.io/owner-id': agent.id },
    });
    const second = await stack.submit(configMap(namespace, 'a', 'two'));
    expect(await agent.event(second)).toMatchObject(succeeded);
    expect((await found(namespace, 'configmap', 'a')).data).toEqual({ value: 'two' });
    expect(await found(namespace, 'configmap', 'b')).toBeUndefined();
  });

  test('a workload counts as deployed only when it is available', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('workload');
    await agent.target(stack.id);
    const object = await stack.submit(`apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`);
    expect(await agent.event(object)).toMatchObject(succeeded);
    expect((await found(namespace, 'deployment', 'web')).status.availableReplicas).toBe(2);
  });

  test('a volume claim that waits for its first pod does not delay its stack', async () => {
    const namespace = await createTestNamespace(kubernetes);
    await kubernetes.kubectl(
      ['apply', '-f', '-'],
      'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: { name: lazy }\nprovisioner: example.com/none\nvolumeBindingMode: WaitForFirstConsumer\n',
    );
    const stack = await world.createStack('claim');
    await agent.target(stack.id);
    const object = await stack.submit(`apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: ${namespace} }
spec: { storageClassName: lazy, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`);
    expect(await agent.event(object)).toMatchObject(succeeded);
  });

  test('a stack with an invalid object changes nothing, and its event names the object', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('invalid');
    await agent.target(stack.id);
    const object = await stack.submit(`${configMap(namespace, 'fine', 'one')}---
apiVersion: v1
kind: Service
metadata: { name: broken, namespace: ${namespace} }
spec: { ports: [{ port: 700000 }] }
`);
    const event = await agent.event(object);
    expect(event.status).toBe('FAILURE');
    expect(event.message).toContain(`Service/${namespace}/broken`);
    expect(await found(namespace, 'configmap', 'fine')).toBeUndefined();
  });

  test('an object that somebody changes or deletes is restored', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('drift');
    await agent.target(stack.id);
    await agent.event(await stack.submit(`${configMap(namespace, 'changed', 'one')}---\n${configMap(namespace, 'deleted', 'one')}`));
    await kubernetes.kubectl(['-n', namespace, 'patch', 'configmap', 'changed', '--type', 'merge', '-p', '{"data":{"value":"theirs"}}']);
    await kubernetes.kubectl(['-n', namespace, 'delete', 'configmap', 'deleted']);
    await present(namespace, 'configmap', 'deleted');
    await eventually('the change to be undone', async () =>
      (await found(namespace, 'configmap', 'changed')).data.value === 'one' ? true : undefined,
    );
  });

  test('a deletion marker removes all objects of its stack, and nothing else', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('marked');
    await agent.target(stack.id);
    await agent.event(await stack.submit(`${configMap(namespace, 'a', 'one')}---\n${configMap(namespace, 'b', 'one')}`));
    await kubernetes.kubectl(['-n', namespace, 'create', 'configmap', 'theirs']);
    const marker = await stack.submitMarker();
    expect(await agent.event(marker)).toMatchObject(succeeded);
    expect(await found(namespace, 'configmap', 'a')).toBeUndefined();
    expect(await found(namespace, 'configmap', 'b')).toBeUndefined();
    expect(await found(namespace, 'configmap', 'theirs')).toBeDefined();
  });

  test('one stack may contain a CustomResourceDefinition and a resource of its kind', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('custom');
    await agent.target(stack.id);
    const object = await stack.submit(`apiVersion: e2e.example.com/v1
kind: Widget
metadata: { name: one, namespace: ${namespace} }
spec: { size: 3 }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.e2e.example.com }
spec:
  group: e2e.example.com
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer } } } } } }
`);
    expect(await agent.event(object)).toMatchObject(succeeded);
    expect((await found(namespace, 'widgets.e2e.example.com', 'one')).spec.size).toBe(3);
    expect(await agent.event(await stack.submitMarker())).toMatchObject(succeeded);
    await gone(namespace, 'customresourcedefinition', 'widgets.e2e.example.com');
  });

  test('two agents in one cluster change only their own objects, and neither takes over an object of the other', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const other = await world.enlist('second');
    const running = await other.run(cluster, { inventoryNamespace: home });
    const [mine, theirs] = [await world.createStack('mine'), await world.createStack('theirs')];
    await agent.target(mine.id);
    await other.target(theirs.id);
    await agent.event(await mine.submit(configMap(namespace, 'mine', 'one')));
    expect(await other.event(await theirs.submit(configMap(namespace, 'theirs', 'one')))).toMatchObject(succeeded);
    const clash = await other.event(await theirs.submit(configMap(namespace, 'mine', 'stolen')));
    expect(clash.status).toBe('FAILURE');
    expect(clash.message).toContain(agent.id);
    expect((await found(namespace, 'configmap', 'mine')).data.value).toBe('one');
    await other.event(await theirs.submitMarker());
    expect(await found(namespace, 'configmap', 'mine')).toBeDefined();
    await running.stop();
  });

  test('a stack of five hundred objects is applied, and removed only after a confirmation', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('large');
    await agent.target(stack.id);
    const yaml = Array.from({ length: 500 }, (_, n) => configMap(namespace, `object-${n}`, `number-${n}`)).join('---\n');
    const applied = await agent.event(await stack.submit(yaml));
    expect(`${applied.status} ${applied.message?.slice(0, 900)}`).toMatch(/^SUCCESS/);
    const names = await kubernetes.kubectl(['-n', namespace, 'get', 'configmap', '-l', `k8s.brokkr.io/stack=${stack.id}`, '-o', 'name']);
    expect(names.trim().split('\n')).toHaveLength(500);
    const marker = await stack.submitMarker();
    const held = await agent.event(marker, (event) => event.status === 'FAILURE');
    const fingerprint = /confirm-deletion to ([0-9a-f]+)/.exec(held.message ?? '')?.[1] ?? '';
    expect(fingerprint).not.toBe('');
    await world.host.admin.post(`/agents/${agent.id}/annotations`, {
      agent_id: agent.id,
      key: 'brokkr.io/confirm-deletion',
      value: fingerprint,
    });
    await agent.event(marker, (event) => event.status === 'SUCCESS');
    expect(
      (await kubernetes.kubectl(['-n', namespace, 'get', 'configmap', '-l', `k8s.brokkr.io/stack=${stack.id}`, '-o', 'name'])).trim(),
    ).toBe('');
  }, 60_000);

  test('a stack that is deleted while its agent is stopped is removed when the agent runs again', async () => {
    const namespace = await createTestNamespace(kubernetes);
    const stack = await world.createStack('withdrawn');
    await agent.target(stack.id);
    await agent.event(await stack.submit(configMap(namespace, 'a', 'one')));
    await stop();
    await world.generator.delete(`/stacks/${stack.id}`);
    expect(await found(namespace, 'configmap', 'a')).toBeDefined();
    const running = await agent.run(cluster, { inventoryNamespace: home });
    stop = () => running.stop();
    await gone(namespace, 'configmap', 'a');
    await eventually('the withdrawal to be settled', async () => {
      const { body } = await world.host.admin.get(`/agents/${agent.id}/assignments`);
      return body.assignments.some((one: { stack_id: string }) => one.stack_id === stack.id) ? undefined : true;
    });
  });
});
