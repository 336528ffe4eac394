import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Cluster, Manifest } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import { objectHealth } from '../../agent/reconcile/health/object-health.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { eventually, refOf } from './cluster-contract-objects.ts';

const labels = { app: 'one' };
const container = { name: 'main', image: 'main:1' };
const template = { metadata: { labels }, spec: { containers: [container] } };
const workload = { selector: { matchLabels: labels }, template };
const job = { template: { spec: { restartPolicy: 'Never', containers: [container] } } };
const failing = { 'pod-container-running-failed.stage.kwok.x-k8s.io': 'true' };

/** The statuses are those of Kubernetes' own controllers; only the nodes are simulated. */
describeKubernetes('health as Kubernetes tells it', () => {
  let cluster: Cluster;
  let namespace: string;
  beforeAll(async () => {
    const kubernetes = await testCluster();
    namespace = await createTestNamespace(kubernetes, 'health');
    cluster = await createKubernetesCluster({ kubeconfigPath: kubernetes.kubeconfigPath });
  });
  afterAll(() => cluster.close());

  test.each<[apiVersion: string, kind: string, spec: Record<string, unknown>]>([
    ['apps/v1', 'Deployment', { replicas: 2, ...workload }],
    ['apps/v1', 'StatefulSet', { replicas: 2, serviceName: 'one', ...workload }],
    ['apps/v1', 'DaemonSet', workload],
    ['apps/v1', 'ReplicaSet', workload],
    ['batch/v1', 'Job', job],
    ['policy/v1', 'PodDisruptionBudget', { minAvailable: 5, selector: { matchLabels: labels } }],
    ['v1', 'Pod', { containers: [container] }],
  ])('%s %s: progressing at first, and healthy in the end', async (apiVersion, kind, spec) => {
    const manifest: Manifest = { apiVersion, kind, metadata: { name: `a-${kind.toLowerCase()}`, namespace }, spec };
    const created = await cluster.apply(manifest, { fieldManager: 'test', force: true });
    expect(objectHealth(created).status).toBe('progressing');
    await eventually(async () => (await healthOf(manifest)) === 'healthy');
  });

  test('a changed Deployment is not taken for healthy before its controller has seen the change', async () => {
    const manifest: Manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'changed', namespace }, spec: workload };
    await cluster.apply(manifest, { fieldManager: 'test', force: true });
    await eventually(async () => (await healthOf(manifest)) === 'healthy');
    const changed = await cluster.apply({ ...manifest, spec: { replicas: 3, ...workload } }, { fieldManager: 'test', force: true });
    expect(objectHealth(changed).status).toBe('progressing');
  });

  test('a pod whose container fails is failed', async () => {
    const manifest: Manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'broken', namespace, labels: failing },
      spec: { restartPolicy: 'Never', containers: [container] },
    };
    await cluster.apply(manifest, { fieldManager: 'test', force: true });
    await eventually(async () => (await healthOf(manifest)) === 'failed');
  });

  test('a Service of type LoadBalancer waits for one, and any other for nothing', async () => {
    const service = (name: string, type: string): Manifest => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { type, ports: [{ port: 80 }] },
    });
    expect(objectHealth(await cluster.apply(service('inner', 'ClusterIP'), { fieldManager: 'test', force: true })).status).toBe('healthy');
    expect(objectHealth(await cluster.apply(service('outer', 'LoadBalancer'), { fieldManager: 'test', force: true })).status).toBe(
      'progressing',
    );
  });

  async function healthOf(manifest: Manifest): Promise<string | undefined> {
    const live = await cluster.find(refOf(manifest));
    return live && objectHealth(live).status;
  }
});
