import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { loadAgentConfig } from '../../agent/config.ts';
import { manifestsPath, manifestsText, renderArguments } from '../../infra/agent/render-manifests.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { chartPath, installAgentIdentity, renderChart } from './chart-identity.ts';

const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/** A right in the words of `kubectl auth can-i`: verb, resource with its group, and a namespace where it is asked for in one. */
type Right = [verb: string, resource: string, namespace?: string];

describeKubernetes("the agent's chart", () => {
  let kubernetes: TestCluster;
  beforeAll(async () => {
    kubernetes = await testCluster();
  });
  const render = (values: Record<string, unknown> = {}) => renderChart(kubernetes, { namespace: 'brokkr', values });

  test('passes the strict lint', async () => {
    const values = JSON.stringify({ broker: { url: 'http://brokkr.invalid' }, pak: { value: 'x' } });
    await expect(kubernetes.helm(['lint', '--strict', chartPath, '--values', '-'], values)).resolves.toContain('0 chart(s) failed');
  });

  test.each([
    ['no control plane', { broker: { url: '' } }, 'broker.url is required'],
    ['no key', { pak: {} }, 'pak.value or pak.existingSecret is required'],
    ['a setting that does not exist', { agnet: {} }, 'agnet'],
    ['a polling interval of 0', { agent: { pollingIntervalSeconds: 0 } }, 'pollingIntervalSeconds'],
    ['a generator that is no id', { agent: { generatorIds: ['mine'] } }, 'generatorIds'],
    ['a rule without verbs', { rbac: { additionalRules: [{ apiGroups: [''], resources: ['nodes'] }] } }, 'verbs'],
  ])('refuses %s', async (_what, values, why) => {
    await expect(render(values)).rejects.toThrow(why);
  });

  test('keeps the key out of the environment and the manifests free of it where a Secret exists', async () => {
    expect(await render({ pak: { value: 'the-key' } })).toMatch(/kind: Secret.*pak: "the-key"/s);
    const withExisting = await render({ pak: { existingSecret: 'mine' } });
    expect(withExisting).not.toContain('kind: Secret');
    expect(withExisting).toContain('secretName: mine');
    expect(withExisting).not.toContain('BROKKR__AGENT__PAK:');
  });

  test('the agent understands every setting the chart gives it', async () => {
    const agent = {
      name: 'north',
      clusterName: 'eu-1',
      pollingIntervalSeconds: 2,
      generatorIds: ['0f6d9a52-6a3c-4a0e-9d8e-000000000001', '0f6d9a52-6a3c-4a0e-9d8e-000000000002'],
      maxRetries: 3,
      driftIntervalSeconds: 4,
      healthTimeoutSeconds: 5,
      forceConflicts: false,
      massDeletion: 'allow',
      applyParallelism: 6,
      stackParallelism: 7,
      workOrderParallelism: 8,
      workOrderLeaseSeconds: 90,
      logLevel: 'debug',
    };
    const rendered = await render({ agent, broker: { url: 'https://brokkr.test/' }, rbac: { clusterWide: false }, watchNamespace: 'shop' });
    const manifests = parseAllDocuments(rendered).map((document): { kind: string; data: Record<string, string> } => document.toJS());
    const environment = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    const readFile = (path: string) => (path === '/var/run/secrets/brokkr/pak' ? 'the-key' : '');
    expect(loadAgentConfig({ environment, readFile })).toEqual({
      brokerUrl: 'https://brokkr.test',
      pak: 'the-key',
      agentName: 'north',
      clusterName: 'eu-1',
      pollingIntervalMs: 2_000,
      generatorIds: agent.generatorIds,
      maxRetries: 3,
      driftIntervalMs: 4_000,
      healthTimeoutMs: 5_000,
      forceConflicts: false,
      massDeletion: 'allow',
      applyParallelism: 6,
      stackParallelism: 7,
      workOrderParallelism: 8,
      workOrderLeaseSeconds: 90,
      logLevel: 'debug',
      cluster: 'kubernetes',
      kubeconfigPath: undefined,
      healthPort: 8080,
      stateDir: '/var/lib/brokkr',
      inventoryNamespace: 'brokkr',
      watchNamespace: 'shop',
    });
  });

  test('the plain manifests are what the chart renders', async () => {
    expect(await readFile(manifestsPath, 'utf8')).toBe(manifestsText(await kubernetes.helm(renderArguments)));
  });

  test('the API server takes the plain manifests, under the strictest pod security', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await kubernetes.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brokkr', labels } }),
    );
    const output = await kubernetes.kubectl(['apply', '--dry-run=server', '-f', manifestsPath]);
    expect(output).toContain('deployment.apps/brokkr-agent created (server dry run)');
  });

  test.each([
    ['all namespaces', {}],
    [
      'one namespace, with everything switched on',
      {
        rbac: { clusterWide: false, shipwright: true },
        broker: { url: 'https://b', ca: { existingSecret: 'ca' } },
        state: { existingClaim: 'disk' },
      },
    ],
    [
      'the definitions of kinds, an image by digest',
      {
        rbac: { customResourceDefinitions: true },
        image: { digest: `sha256:${'0'.repeat(64)}` },
        extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy' }],
      },
    ],
  ])('the API server takes the chart for %s', async (_what, values) => {
    const namespace = await createTestNamespace(kubernetes, 'chart');
    const output = await kubernetes.kubectl(['apply', '--dry-run=server', '-f', '-'], await renderChart(kubernetes, { namespace, values }));
    expect(output).toContain('deployment.apps/brokkr-agent created (server dry run)');
  });

  test('its pods meet the strictest pod security', async () => {
    const namespace = await createTestNamespace(kubernetes, 'chart');
    await kubernetes.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await installAgentIdentity(kubernetes, { namespace });
    await expect(kubernetes.kubectl(['rollout', 'status', 'deployment/brokkr-agent', '-n', namespace, '--timeout=20s'])).resolves.toContain(
      'successfully',
    );
  });

  describe('for all namespaces', () => {
    let [namespace, kubeconfig] = ['', ''];
    beforeAll(async () => {
      namespace = await createTestNamespace(kubernetes, 'wide');
      kubeconfig = await installAgentIdentity(kubernetes, { namespace });
    });

    test('the agent may do what stacks need, anywhere', async () => {
      const kinds = `configmaps secrets services serviceaccounts persistentvolumeclaims persistentvolumes pods limitranges resourcequotas
        replicationcontrollers namespaces deployments.apps statefulsets.apps daemonsets.apps replicasets.apps jobs.batch cronjobs.batch
        ingresses.networking.k8s.io ingressclasses.networking.k8s.io networkpolicies.networking.k8s.io roles.rbac.authorization.k8s.io
        rolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io`;
      const rights = kinds.split(/\s+/).flatMap((kind) => verbs.map((verb): Right => [verb, kind]));
      expect(await denied(kubeconfig, [...rights, ['get', 'storageclasses.storage.k8s.io'], ['get', 'pods/log']])).toEqual([]);
    });

    test('and nothing that reaches into pods, nodes and tokens, or widens its rights', async () => {
      const rights: Right[] = [
        ['create', 'pods/exec'],
        ['create', 'pods/attach'],
        ['create', 'pods/portforward'],
        ['create', 'pods/eviction'],
        ['patch', 'builds.shipwright.io'],
        ['create', 'serviceaccounts/token'],
        ['get', 'nodes'],
        ['get', 'nodes/proxy'],
        ['patch', 'endpoints'],
        ['create', 'events'],
        ['deletecollection', 'configmaps'],
        ['deletecollection', 'secrets'],
        ['update', 'configmaps'],
        ['escalate', 'clusterroles.rbac.authorization.k8s.io'],
        ['escalate', 'roles.rbac.authorization.k8s.io'],
        ['bind', 'clusterroles.rbac.authorization.k8s.io'],
        ['bind', 'roles.rbac.authorization.k8s.io'],
        ['impersonate', 'users'],
        ['impersonate', 'serviceaccounts'],
        ['list', 'storageclasses.storage.k8s.io'],
        ['patch', 'storageclasses.storage.k8s.io'],
        ['get', 'customresourcedefinitions.apiextensions.k8s.io'],
        ['create', 'customresourcedefinitions.apiextensions.k8s.io'],
        ['create', 'mutatingwebhookconfigurations.admissionregistration.k8s.io'],
        ['create', 'apiservices.apiregistration.k8s.io'],
        ['approve', 'signers.certificates.k8s.io'],
        ['create', 'certificatesigningrequests.certificates.k8s.io'],
        ['patch', 'deployments.apps/scale'],
        ['patch', 'namespaces/finalize'],
        ['patch', 'horizontalpodautoscalers.autoscaling'],
        ['*', '*'],
      ];
      expect(await denied(kubeconfig, rights)).toEqual(rights.map(words));
    });

    test('a role it applies grants no more than it has', async () => {
      const role = (resource: string) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: `reads-${resource}`, namespace },
        rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
      });
      const applying = (resource: string) =>
        kubernetes.kubectl(['--kubeconfig', kubeconfig, 'apply', '--server-side', '-f', '-'], JSON.stringify(role(resource)));
      await expect(applying('configmaps')).resolves.toContain('serverside-applied');
      await expect(applying('nodes')).rejects.toThrow('attempting to grant RBAC permissions not currently held');
    });

    test('without secrets it may not even read them; with definitions and rules of its own it may do those', async () => {
      const rbac = {
        secrets: false,
        customResourceDefinitions: true,
        additionalRules: [{ apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs }],
      };
      const other = await createTestNamespace(kubernetes, 'wide');
      const identity = await installAgentIdentity(kubernetes, { namespace: other, values: { rbac } });
      const rights: Right[] = [
        ['get', 'secrets'],
        ['create', 'secrets'],
        ['patch', 'customresourcedefinitions.apiextensions.k8s.io'],
        ['patch', 'poddisruptionbudgets.policy'],
      ];
      expect(await denied(identity, rights)).toEqual(['get secrets', 'create secrets']);
    });
  });

  describe('for one namespace', () => {
    test.each([
      ['its own', false],
      ['another', true],
    ])('%s: the agent may do what stacks need in it, and nothing outside', async (_which, isAnother) => {
      const namespace = await createTestNamespace(kubernetes, 'narrow');
      const watched = isAnother ? await createTestNamespace(kubernetes, 'watched') : namespace;
      const values = { rbac: { clusterWide: false }, ...(isAnother && { watchNamespace: watched }) };
      const kubeconfig = await installAgentIdentity(kubernetes, { namespace, values });
      const kinds =
        'configmaps secrets services serviceaccounts persistentvolumeclaims pods deployments.apps jobs.batch ingresses.networking.k8s.io'.split(
          ' ',
        );
      const inside = kinds.flatMap((kind) => verbs.map((verb): Right => [verb, kind, watched]));
      const inventory = verbs.map((verb): Right => [verb, 'configmaps', namespace]);
      expect(await denied(kubeconfig, [...inside, ...inventory])).toEqual([]);
      const outside: Right[] = [
        ['list', 'configmaps'],
        ['get', 'configmaps', 'default'],
        ['create', 'namespaces'],
        ['get', 'namespaces'],
        ['patch', 'roles.rbac.authorization.k8s.io', watched],
        ['patch', 'clusterroles.rbac.authorization.k8s.io'],
        ['get', 'persistentvolumes'],
        ['create', 'pods/exec', watched],
        ['create', 'serviceaccounts/token', watched],
        ...(isAnother ? [['get', 'secrets', namespace] as Right, ['patch', 'deployments.apps', namespace] as Right] : []),
      ];
      expect(await denied(kubeconfig, outside)).toEqual(outside.map(words));
    });
  });

  const words = ([verb, resource, namespace]: Right): string =>
    [verb, resource, ...(namespace === undefined ? [] : [`in ${namespace}`])].join(' ');

  /** Returns the rights that the holder of this kubeconfig lacks. One process asks for all. */
  async function denied(kubeconfig: string, rights: readonly Right[]): Promise<string[]> {
    const reviews = rights.map(([verb, name, namespace]) => {
      const [, resource, group = '', subresource = ''] = /^([^./]+)(?:\.([^/]+))?(?:\/(.+))?$/.exec(name) ?? [];
      const resourceAttributes = {
        verb,
        resource,
        group: verb === '*' ? '*' : group,
        subresource,
        ...(namespace !== undefined && { namespace }),
      };
      return { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
    });
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reviews });
    const output = await kubernetes.kubectl(
      ['--kubeconfig', kubeconfig, 'create', '-o', 'jsonpath={.status.allowed}{"\\n"}', '-f', '-'],
      list,
    );
    const answers = output.trim().split('\n');
    expect(answers).toHaveLength(rights.length);
    return rights.filter((_right, index) => answers[index] !== 'true').map(words);
  }
});
