import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, IMMUTABLE, type Manifest } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { installAgentIdentity } from './chart-identity.ts';
import { CONTRACT_GROUP, clusterContract } from './cluster-contract.ts';
import { customResourceDefinition } from './cluster-contract-objects.ts';
import { failureOf } from './cluster-failure.ts';

const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

describeKubernetes("with the rights of the chart's ServiceAccount", () => {
  clusterContract('the Kubernetes API', async () => {
    const kubernetes = await testCluster();
    const namespace = await createTestNamespace(kubernetes, 'contract');
    const rbac = { customResourceDefinitions: true, additionalRules: [{ apiGroups: [CONTRACT_GROUP], resources: ['*'], verbs }] };
    const kubeconfigPath = await installAgentIdentity(kubernetes, { namespace, values: { rbac } });
    const dispose = async () => void (await kubernetes.kubectl(['delete', 'namespace', namespace, '--wait=false']));
    return { cluster: await createKubernetesCluster({ kubeconfigPath, pageSize: 2 }), namespace, dispose };
  });
});

describeKubernetes('what the Kubernetes API adds', () => {
  let cluster: Cluster;
  let namespace: string;
  let kubeconfigPath: string;
  const options = { fieldManager: 'brokkr', force: true };
  const configMap = (fields: Record<string, unknown> = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace },
    ...fields,
  });

  beforeAll(async () => {
    const kubernetes = await testCluster();
    namespace = await createTestNamespace(kubernetes, 'agent');
    kubeconfigPath = await installAgentIdentity(kubernetes, { namespace });
    cluster = await createKubernetesCluster({ kubeconfigPath });
  });
  afterAll(() => cluster.close());

  test.each([
    ['an unknown field', { dtaa: {} }, '.dtaa: field not declared in schema'],
    ['a wrong type', { data: { port: 80 } }, '.data.port: expected string'],
    ['a label that is a number', { metadata: { name: 'one', labels: { a: 1 } } }, '.metadata.labels.a: expected string'],
  ])('%s is invalid, although the server calls it its own error', async (_what, fields, expected) => {
    const manifest = configMap(fields);
    const error = await failureOf(
      cluster.apply({ ...manifest, metadata: { ...manifest.metadata, namespace } }, { ...options, dryRun: true }),
    );
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', retryable: false });
    expect(error.message).toContain(expected);
  });

  test('an unknown field of a custom resource is as invalid, and not dropped in silence', async () => {
    const kubernetes = await testCluster();
    const group = `${namespace}.example.com`;
    const definition = customResourceDefinition(group, 'Shelf', { type: 'object', properties: { size: { type: 'integer' } } });
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(definition));
    await kubernetes.kubectl(['wait', '--for=condition=Established', `crd/${definition.metadata.name}`, '--timeout=20s']);
    const rbac = { additionalRules: [{ apiGroups: [group], resources: ['*'], verbs }] };
    const librarian = await createKubernetesCluster({
      kubeconfigPath: await installAgentIdentity(kubernetes, { namespace, values: { rbac } }),
    });
    const shelf: Manifest = { ...configMap(), apiVersion: `${group}/v1`, kind: 'Shelf', spec: { size: 3, sise: 4 } };
    const error = await failureOf(librarian.apply(shelf, { ...options, dryRun: true }));
    await librarian.close();
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', retryable: false });
    expect(error.message).toContain('.spec.sise: field not declared in schema');
  });

  test('an error about a Secret contains none of its values', async () => {
    const secret: Manifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one', namespace }, stringData: { pin: 4711 } };
    const error = await failureOf(cluster.apply(secret, { ...options, dryRun: true }));
    expect(error).toMatchObject({ status: 422, reason: 'Invalid' });
    expect(error.message).not.toContain('4711');
  });

  test('an immutable field has a reason of its own, and is no conflict', async () => {
    const settled = (colour: string) => configMap({ metadata: { name: 'settled', namespace }, immutable: true, data: { colour } });
    await cluster.apply(settled('red'), options);
    const error = await failureOf(cluster.apply(settled('blue'), options));
    expect(error).toMatchObject({ status: 422, reason: IMMUTABLE, retryable: false });
    expect(error.message).toContain('immutable');
  });

  test('a missing right is told and not retried', async () => {
    const budget: Manifest = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'one', namespace }, spec: {} };
    const error = await failureOf(cluster.apply(budget, options));
    expect(error).toMatchObject({ status: 403, reason: 'Forbidden', retryable: false });
    expect(error.message).toContain('poddisruptionbudgets');
  });

  test('a bad label selector is told', async () => {
    const error = await failureOf(cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace, labelSelector: 'a b c' }));
    expect(error).toMatchObject({ status: 400, reason: 'BadRequest' });
  });

  test.each(['', '.', '..', 'x/../../secrets/one', 'web/scale', 'web%2Fscale'])(
    'the name "%s" never becomes another path',
    async (name) => {
      const error = await failureOf(cluster.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }));
      expect(error).toMatchObject({ status: 422, reason: 'Invalid' });
    },
  );

  test('a Deployment that is deleted is deleted, and its pods go after it', async () => {
    const labels = { app: 'web' };
    const deployment: Manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      },
    };
    await cluster.apply(deployment, options);
    expect(await cluster.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' })).toBe('deleted');
  });

  test('a token the server refuses is read again, so that a rotated one is found', async () => {
    const kubeconfig = JSON.parse(await readFile(kubeconfigPath, 'utf8'));
    const [good, tokenFile] = [kubeconfig.users[0].user.token, `${kubeconfigPath}.token`];
    kubeconfig.users[0].user = { tokenFile };
    await writeFile(`${kubeconfigPath}.rotated`, JSON.stringify(kubeconfig));
    await writeFile(tokenFile, `${good}\n`);
    const rotating = await createKubernetesCluster({ kubeconfigPath: `${kubeconfigPath}.rotated` });
    await writeFile(tokenFile, 'expired');
    const stale = await createKubernetesCluster({ kubeconfigPath: `${kubeconfigPath}.rotated` });
    await writeFile(tokenFile, good);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' };
    expect(await rotating.find(ref)).toBeDefined();
    expect(await stale.find(ref)).toBeDefined();
    await Promise.all([rotating.close(), stale.close()]);
  });

  test('a refused token is an error without the token in it', async () => {
    const kubeconfig = JSON.parse(await readFile(kubeconfigPath, 'utf8'));
    kubeconfig.users[0].user = { token: 'not-a-token' };
    await writeFile(`${kubeconfigPath}.refused`, JSON.stringify(kubeconfig));
    const refused = await createKubernetesCluster({ kubeconfigPath: `${kubeconfigPath}.refused` });
    const error = await failureOf(refused.version());
    expect(error).toMatchObject({ status: 401, reason: 'Unauthorized', retryable: false });
    expect(error.message).not.toContain('not-a-token');
    await refused.close();
  });

  test('a server with another certificate authority is not talked to', async () => {
    const kubeconfig = JSON.parse(await readFile(kubeconfigPath, 'utf8'));
    delete kubeconfig.clusters[0].cluster['certificate-authority-data'];
    await writeFile(`${kubeconfigPath}.foreign`, JSON.stringify(kubeconfig));
    const foreign = await createKubernetesCluster({ kubeconfigPath: `${kubeconfigPath}.foreign` });
    expect(await failureOf(foreign.version())).toMatchObject({ status: 0, reason: expect.stringMatching(/CERT|SIGNATURE|ISSUER/) });
    await foreign.close();
  });

  test("through the kubeconfig's proxy, which sees nothing but where it leads", async () => {
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket: Socket) => {
      seen.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const kubeconfig = JSON.parse(await readFile(kubeconfigPath, 'utf8'));
    kubeconfig.clusters[0].cluster['proxy-url'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await writeFile(`${kubeconfigPath}.proxied`, JSON.stringify(kubeconfig));
    const proxied = await createKubernetesCluster({ kubeconfigPath: `${kubeconfigPath}.proxied` });
    expect(await proxied.version()).toMatch(/^v1/);
    await proxied.close();
    proxy.close();
    expect(seen).toEqual([new URL(kubeconfig.clusters[0].cluster.server).host]);
  });
});
