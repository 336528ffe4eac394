import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Agent } from '../../agent/agent.ts';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

const verbs = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = { additionalRules: [{ apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs }] };

describeKubernetes('what the API server takes only once others of its stack are there', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  /** A stack of an agent with the rights of its chart. Answers what is said of its newest contents. */
  function stackOf(options: { healthTimeoutMs?: number } = {}) {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    let agent: Agent | undefined;
    return async (...objects: Manifest[]) => {
      const { id } = plane.post(stack, yaml(...objects));
      if (agent) agent.wake();
      else agent = await agents.start(plane, options);
      const said = () => plane.events.find(({ deployment_object_id }) => deployment_object_id === id);
      await eventually(async () => said() !== undefined);
      return said();
    };
  }

  const group = 'rbac.authorization.k8s.io';
  const here = (apiVersion: string, kind: string, name: string, fields: object = {}, at = namespace): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, namespace: at },
    ...fields,
  });
  const wide = (apiVersion: string, kind: string, name: string, fields: object = {}): Manifest => ({
    apiVersion,
    kind,
    metadata: { name },
    ...fields,
  });
  const mayRead = (...resources: string[]) => ({ rules: [{ apiGroups: [''], resources, verbs: ['get'] }] });
  const account = (name: string, at = namespace) => here('v1', 'ServiceAccount', name, {}, at);
  const role = (name: string, resource = 'configmaps', at = namespace) => here(`${group}/v1`, 'Role', name, mayRead(resource), at);
  const granting = (kind: string, name: string, at = namespace) => ({
    roleRef: { apiGroup: group, kind, name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: at }],
  });
  const binding = (name: string, at = namespace) => here(`${group}/v1`, 'RoleBinding', name, granting('Role', name, at), at);
  const pod = (name: string, spec: object, at = namespace) =>
    here('v1', 'Pod', name, { spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec } }, at);
  const exists = (kind: string, name: string, at = namespace) =>
    kubernetes.kubectl(['get', kind, name, '-n', at, '--ignore-not-found', '-o', 'name']).then((text) => text.trim() !== '');

  test('a binding and its role', async () => {
    const deploy = stackOf();
    expect(await deploy(binding('app'), role('app'), account('app'))).toMatchObject({ status: 'SUCCESS', message: '3 created' });
    const more = [binding('app'), role('app', 'services'), account('app'), binding('more'), role('more')];
    expect(await deploy(...more)).toMatchObject({ status: 'SUCCESS' });
    expect(await exists('rolebinding', 'more')).toBe(true);
  }, 60_000);

  test('a binding and its role for the whole cluster', async () => {
    const name = `${namespace}-app`;
    const objects = [
      wide(`${group}/v1`, 'ClusterRoleBinding', name, granting('ClusterRole', name)),
      here(`${group}/v1`, 'RoleBinding', 'of-a-cluster-role', granting('ClusterRole', name)),
      wide(`${group}/v1`, 'ClusterRole', name, mayRead('configmaps')),
    ];
    expect(await stackOf()(...objects)).toMatchObject({ status: 'SUCCESS', message: '3 created' });
  }, 60_000);

  test('a pod, its account and its priority', async () => {
    const name = `${namespace}-urgent`;
    const objects = [
      pod('bare', { serviceAccountName: 'bare', priorityClassName: name }),
      account('bare'),
      wide('scheduling.k8s.io/v1', 'PriorityClass', name, { value: 7 }),
    ];
    expect(await stackOf()(...objects)).toMatchObject({ status: 'SUCCESS', message: '3 created' });
  }, 60_000);

  test('all of it in a namespace that comes with the stack', async () => {
    const at = `${namespace}-own`;
    const objects = [
      pod('bare', { serviceAccountName: 'app' }, at),
      pod('plain', {}, at),
      binding('app', at),
      role('app', 'configmaps', at),
      account('app', at),
      wide('v1', 'Namespace', at),
    ];
    expect(await stackOf()(...objects)).toMatchObject({ status: 'SUCCESS', message: '6 created' });
  }, 60_000);

  test('beside them an invalid object still changes nothing', async () => {
    const broken = here('v1', 'ConfigMap', 'broken', { data: { port: 80 } });
    expect(await stackOf()(binding('halted'), role('halted'), configMap('good', {}, { namespace }), broken)).toMatchObject({
      status: 'FAILURE',
      message: expect.stringMatching(/^ConfigMap\/\S+\/broken: .*nothing was changed/s),
    });
    expect([await exists('role', 'halted'), await exists('configmap', 'good')]).toEqual([false, false]);
  }, 60_000);

  test('an invalid binding of a role that is there changes nothing', async () => {
    const deploy = stackOf();
    await deploy(role('known'));
    const invalid = { ...binding('known'), subjects: [{ kind: 'Nobody', name: 'known' }] };
    expect(await deploy(role('known', 'services'), invalid)).toMatchObject({
      status: 'FAILURE',
      message: expect.stringContaining('nothing was changed'),
    });
    const resources = await kubernetes.kubectl(['get', 'role', 'known', '-n', namespace, '-o', 'jsonpath={.rules[0].resources[0]}']);
    expect(resources).toBe('configmaps');
  }, 60_000);

  test('a stack whose late object turns out to be invalid reports what was applied', async () => {
    const invalid = { ...binding('torn'), subjects: [{ kind: 'Nobody', name: 'torn' }] };
    expect(await stackOf()(invalid, role('torn'), configMap('untouched', {}, { namespace }))).toMatchObject({
      status: 'FAILURE',
      message: expect.stringMatching(/^RoleBinding\/\S+\/torn: .*only its prerequisites were applied: 1 Role$/s),
    });
    expect([await exists('role', 'torn'), await exists('configmap', 'untouched')]).toEqual([true, false]);
  }, 60_000);
});
