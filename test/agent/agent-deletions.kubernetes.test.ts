import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, namespace as namespaceOf, widgetDefinition, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
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
  let home: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace: home } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const gadget = (name: string): Manifest => ({ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name, namespace: home } });

  const brought = async (plane: ModelControlPlane): Promise<string[]> => {
    const of = ['-A', '-l', `brokkr.io/owner-id=${plane.agentId}`, '-o', 'name', '--ignore-not-found'];
    const plain = await kubernetes.kubectl(['get', 'namespaces,configmaps,customresourcedefinitions', ...of]);
    const custom = await kubernetes.kubectl(['get', 'gadgets', ...of]).catch(() => '');
    return `${plain}\n${custom}`.split('\n').filter(Boolean).sort();
  };

  test('takes nothing of another stack with it, and goes in order', async () => {
    const team = `${home}-team`;
    const plane = createModelControlPlane();
    const [owner, guest] = [plane.newStack(), plane.newStack()];
    plane.post(owner, yaml(namespaceOf(team), gadgetDefinition, gadget('own'), configMap('needed', {}, { namespace: home })));
    const agent = await agents.start(plane);
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
