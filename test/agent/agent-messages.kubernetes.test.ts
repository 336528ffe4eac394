import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { configMap, yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

const PASSWORD = 'correct-horse-battery';

describeKubernetes('the events of an agent on the Kubernetes API', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;

  beforeAll(async () => {
    agents = await agentsOnKubernetes({});
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  test("tell why a Job can't be changed, without its password", async () => {
    const container = { name: 'import', args: [`--password=${PASSWORD}`] };
    const job = (image: string) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'import', namespace },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ ...container, image }] } } },
    });
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(job('registry.example.com/import:1')));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length === 1);
    plane.post(stack, yaml(job('registry.example.com/import:2')));
    agent.wake();
    await eventually(() => plane.events.length === 2);
    expect(plane.events[1]).toMatchObject({
      status: 'FAILURE',
      message: expect.stringMatching(/^Job\/.*: .*spec\.template: Invalid value: field is immutable/),
    });
    expect(JSON.stringify(plane.events)).not.toContain(PASSWORD);
  }, 60_000);

  test('tell why an admission policy refuses an object, without the values that the policy quotes', async () => {
    const name = `quoting-${namespace}`;
    const matchConstraints = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    };
    const validation = { expression: "!has(object.data) || !('password' in object.data)" };
    const messageExpression = "'no ConfigMap may hold a password like ' + object.data.password";
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: { matchConstraints, validations: [{ ...validation, messageExpression }] },
    };
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    };
    const asAdmin = (...objects: unknown[]) => kubernetes.kubectl(['apply', '-f', '-'], yaml(...objects));
    await asAdmin(policy, binding);
    const probe = yaml(configMap('probe', { password: 'x' }, { namespace }));
    await eventually(() =>
      kubernetes.kubectl(['create', '--dry-run=server', '-f', '-'], probe).then(
        () => false,
        () => true,
      ),
    );

    const plane = createModelControlPlane();
    plane.post(plane.newStack(), yaml(configMap('secretive', { password: PASSWORD }, { namespace })));
    await agents.start(plane);
    await eventually(() => plane.events.length === 1);
    expect(plane.events[0]?.message).toContain('no ConfigMap may hold a password like …');
    expect(JSON.stringify(plane.events)).not.toContain(PASSWORD);
    await kubernetes.kubectl(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', name]);
  }, 60_000);
});
