import { beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from './start-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from './test-cluster.ts';

const deployment = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels } },
      spec: { containers: [{ name: 'main', image: 'registry.invalid/web:1' }] },
    },
  },
});

const configMapReader = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'reader' },
  rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
};

describeKubernetes('the Kubernetes API server of a test run', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
  }, 180_000);

  test('the test cluster accepts a server-side apply and records its field manager', async () => {
    const namespace = await createTestNamespace(cluster);
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'green' } };

    await cluster.kubectl(['apply', '--server-side', '--field-manager=smoke', '-n', namespace, '-f', '-'], JSON.stringify(configMap));

    const stored = JSON.parse(
      await cluster.kubectl(['get', 'configmap', 'settings', '-n', namespace, '-o', 'json', '--show-managed-fields']),
    );
    expect(stored.data).toEqual({ colour: 'green' });
    expect(stored.metadata.managedFields).toEqual([expect.objectContaining({ manager: 'smoke', operation: 'Apply' })]);
  });

  test('the test cluster makes a Deployment available on its simulated node', async () => {
    const namespace = await createTestNamespace(cluster);

    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(deployment('web')));

    await cluster.kubectl(['wait', 'deployment/web', '-n', namespace, '--for=condition=Available', '--timeout=60s']);
    const pods = JSON.parse(await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']));
    expect(pods.items.map((pod: { spec: { nodeName: string } }) => pod.spec.nodeName)).toEqual(['simulated-node', 'simulated-node']);
  });

  test('the test cluster fails pods that are labelled to fail', async () => {
    const namespace = await createTestNamespace(cluster);
    const failing = deployment('broken', { 'pod-container-running-failed.stage.kwok.x-k8s.io': 'true' });

    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(failing));

    const waiting = cluster.kubectl([
      'wait',
      'pod',
      '-l',
      'app=broken',
      '-n',
      namespace,
      '--for=jsonpath={.status.phase}=Failed',
      '--timeout=60s',
    ]);
    await expect(waiting).resolves.toContain('condition met');
  });

  test('the test cluster binds a volume claim and completes a Job', async () => {
    const namespace = await createTestNamespace(cluster);
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };

    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(claim));
    await cluster.kubectl(['create', 'job', 'once', '-n', namespace, '--image=registry.invalid/once:1']);

    await cluster.kubectl(['wait', 'pvc/data', '-n', namespace, '--for=jsonpath={.status.phase}=Bound', '--timeout=60s']);
    await cluster.kubectl(['wait', 'job/once', '-n', namespace, '--for=condition=Complete', '--timeout=60s']);
  });

  test("the test cluster denies a ServiceAccount's token the rights that its role lacks", async () => {
    const namespace = await createTestNamespace(cluster);
    await cluster.kubectl(['create', 'serviceaccount', 'visitor', '-n', namespace]);
    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(configMapReader));
    await cluster.kubectl(['create', 'rolebinding', 'visitor', '-n', namespace, '--role=reader', `--serviceaccount=${namespace}:visitor`]);

    const kubeconfig = await cluster.kubeconfigFor({ namespace, serviceAccount: 'visitor' });

    const asVisitor = (...args: string[]) => cluster.kubectl(['--kubeconfig', kubeconfig, ...args]);
    await expect(asVisitor('get', 'configmaps')).resolves.toContain('kube-root-ca.crt');
    await expect(asVisitor('get', 'secrets')).rejects.toThrow(`system:serviceaccount:${namespace}:visitor" cannot list resource "secrets"`);
    await expect(asVisitor('get', 'configmaps', '-n', 'kube-system')).rejects.toThrow('cannot list resource "configmaps"');
    await expect(asVisitor('create', 'configmap', 'mine')).rejects.toThrow('cannot create resource "configmaps"');
  });
});
