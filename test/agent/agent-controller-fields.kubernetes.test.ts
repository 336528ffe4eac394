import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Agent } from '../../agent/agent.ts';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

// The chart itself grants the list of autoscalers. Who makes an aggregated role needs all rights, or the right to escalate.
const rbac = {
  additionalRules: [
    { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['get', 'create', 'patch', 'delete'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['escalate'] },
  ],
};

describeKubernetes('fields of controllers on a real API server', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;
  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  /** A stack whose agent applies and does not wait. Answers what is said of its newest contents. */
  function stackOf() {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.stackAnnotationsOf.set(stack, { 'brokkr.io/health': 'apply-only' });
    let agent: Agent | undefined;
    return async (...objects: Manifest[]) => {
      const { id } = plane.post(stack, yaml(...objects));
      if (agent) agent.wake();
      else agent = await agents.start(plane);
      const said = () => plane.events.find(({ deployment_object_id }) => deployment_object_id === id);
      await eventually(() => said() !== undefined);
      return said()?.status;
    };
  }
  const deployment = (name: string, replicas: number, image = 'main:1'): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    },
  });
  const autoscaler = (name: string): Manifest => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, minReplicas: 2, maxReplicas: 6 },
  });
  const replicasOf = (name: string) => kubernetes.kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'jsonpath={.spec.replicas}']);

  test('replicas that an autoscaler has chosen stay at a change of the object', async () => {
    const post = stackOf();
    expect(await post(deployment('api', 1), autoscaler('api'))).toBe('SUCCESS');
    await kubernetes.kubectl(['scale', 'deployment', 'api', '-n', namespace, '--replicas=4']);
    expect(await post(deployment('api', 1, 'main:2'), autoscaler('api'))).toBe('SUCCESS');
    expect(await replicasOf('api')).toBe('4');
  }, 60_000);

  test('replicas that the stack has set before stay when an autoscaler joins it', async () => {
    const post = stackOf();
    expect(await post(deployment('web', 3))).toBe('SUCCESS');
    expect(await post(deployment('web', 5), autoscaler('web'))).toBe('SUCCESS');
    expect(await replicasOf('web')).toBe('3');
  }, 60_000);

  test('the rules that an aggregated role has collected stay', async () => {
    const group = 'rbac.authorization.k8s.io';
    const name = `observer-${namespace}`;
    const collects = { matchLabels: { [`for-${namespace}`]: 'yes' } };
    const role = (labels: Record<string, string>): Manifest => ({
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name, labels },
      aggregationRule: { clusterRoleSelectors: [collects] },
      rules: [],
    });
    const part: Manifest = {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name: `${name}-part`, labels: collects.matchLabels },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
    };
    const rules = () => kubernetes.kubectl(['get', 'clusterrole', name, '-o', 'jsonpath={.rules}']);
    const post = stackOf();
    expect(await post(role({}), part)).toBe('SUCCESS');
    await eventually(async () => (await rules()).includes('configmaps'));
    expect(await post(role({ changed: 'yes' }), part)).toBe('SUCCESS');
    expect(await rules()).toContain('configmaps');
  }, 60_000);
});
