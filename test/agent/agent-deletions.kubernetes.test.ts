import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Agent, createAgent } from '../../agent/agent.ts';
import type { Cluster, Manifest } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes-cluster.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { configMap, namespace as namespaceOf, TEST_CONFIG, widgetDefinition, yaml } from './agent-world.ts';
import { installAgentIdentity } from './chart-identity.ts';
import { createModelControlPlane, type ModelControlPlane } from './model-control-plane.ts';

const verbs = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = { customResourceDefinitions: true, additionalRules: [{ apiGroups: ['example.com'], resources: ['*'], verbs }] };

const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
const gadgetDefinition: Manifest = {
  ...widgetDefinition,
  metadata: { name: 'gadgets.example.com' },
  spec: { ...(widgetDefinition.spec as object), names },
};

describeKubernetes('an agent that deletes on the Kubernetes API', () => {
  let kubernetes: TestCluster;
  let cluster: Cluster;
  let home: string;
  let agent: Agent | undefined;

  beforeAll(async () => {
    kubernetes = await testCluster();
    home = await createTestNamespace(kubernetes, 'agent');
    cluster = await createKubernetesCluster({
      kubeconfigPath: await installAgentIdentity(kubernetes, { namespace: home, values: { rbac } }),
    });
  }, 120_000);
  afterAll(async () => {
    await agent?.stop();
    await cluster.close();
    await kubernetes.kubectl(['delete', 'namespace', home, '--wait=false']);
  });

  const gadget = (name: string): Manifest => ({ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name, namespace: home } });

  const brought = async (plane: ModelControlPlane): Promise<string[]> => {
    const of = ['-A', '-l', `brokkr.io/owner-id=${plane.agentId}`, '-o', 'name', '--ignore-not-found'];
    const plain = await kubernetes.kubectl(['get', 'namespaces,configmaps,customresourcedefinitions', ...of]);
    const custom = await kubernetes.kubectl(['get', 'gadgets', ...of]).catch(() => '');
    return `${plain}\n${custom}`.split('\n').filter(Boolean).sort();
  };

  async function eventually(isSo: () => unknown): Promise<void> {
    const deadlineMs = performance.now() + 30_000;
    while (!(await isSo())) {
      if (performance.now() > deadlineMs) throw new Error(`not so after 30 s: ${isSo}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test('takes nothing of another stack with it, and goes in order', async () => {
    const team = `${home}-team`;
    const plane = createModelControlPlane();
    const [owner, guest] = [plane.newStack(), plane.newStack()];
    plane.post(owner, yaml(namespaceOf(team), gadgetDefinition, gadget('own'), configMap('needed', {}, { namespace: home })));
    const config = { ...TEST_CONFIG, pollingIntervalMs: 3_600_000, inventoryNamespace: home, watchNamespace: home };
    agent = createAgent({ config, cluster, controlPlane: plane, files: createMemoryFiles() });
    await agent.start();
    await eventually(() => plane.events.length === 1);
    plane.post(guest, yaml(gadget('guest'), configMap('guest', {}, { namespace: team })));
    agent.wake();
    await eventually(() => plane.events.length === 2);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS' }, { status: 'SUCCESS' }]);
    const patch = (finalizers: string[]) =>
      kubernetes.kubectl(['patch', 'gadget', 'own', '-n', home, '--type=merge', '-p', JSON.stringify({ metadata: { finalizers } })]);

    await patch(['example.com/clean-up']);
    plane.withdraw(owner);
    agent.wake();
    await agent.settled();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await brought(plane)).toContain('configmap/needed');
    await patch([]);
    await eventually(async () => !(await brought(plane)).includes('configmap/needed'));
    await eventually(() => plane.events.length === 3);
    expect(plane.events.at(-1)).toMatchObject({ event_type: 'REMOVE', status: 'FAILURE', message: expect.stringContaining(guest) });
    expect(await brought(plane)).toEqual([
      'configmap/guest',
      'customresourcedefinition.apiextensions.k8s.io/gadgets.example.com',
      'gadget.example.com/guest',
      `namespace/${team}`,
    ]);

    plane.withdraw(guest);
    agent.wake();
    await eventually(async () => (await brought(plane)).length === 0);
    await eventually(() => plane.current().assignments.length === 0);
    expect(plane.events.slice(-2)).toMatchObject([{ status: 'SUCCESS' }, { status: 'SUCCESS' }]);
  }, 120_000);
});
