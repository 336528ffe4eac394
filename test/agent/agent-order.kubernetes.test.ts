import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

const PATIENT = { healthTimeoutMs: 20_000 };
const RULES = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = {
  additionalRules: [
    { apiGroups: [''], resources: ['resourcequotas', 'limitranges'], verbs: RULES },
    { apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: RULES },
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: RULES },
    { apiGroups: ['order.example.com'], resources: ['*'], verbs: RULES },
  ],
};

describeKubernetes('the order in which a stack is judged and applied', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;
  beforeAll(async () => {
    agents = await agentsOnKubernetes(rbac);
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const kubectl = (...args: string[]) => kubernetes.kubectl(args);
  const object = (kind: string, name: string, rest: object, apiVersion = 'v1', placed: object = { namespace }): Manifest =>
    ({ apiVersion, kind, metadata: { name, ...placed }, ...rest }) as Manifest;
  const map = (name: string, metadata: object = {}) => object('ConfigMap', name, { data: { a: '1' } }, 'v1', { namespace, ...metadata });
  const service = (name: string) => object('Service', name, { spec: { selector: { app: name }, ports: [{ port: 80 }] } });

  const stackOf = (...first: Manifest[]) => patientStack(PATIENT.healthTimeoutMs, ...first);
  async function patientStack(healthTimeoutMs: number, ...first: Manifest[]) {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(...first));
    const agent = await agents.start(plane, { healthTimeoutMs });
    const post = async (...objects: Manifest[]) => {
      const { id } = plane.post(stack, yaml(...objects));
      agent.wake();
      await eventually(() => plane.events.some(({ deployment_object_id }) => deployment_object_id === id));
      return plane.events.filter(({ deployment_object_id }) => deployment_object_id === id);
    };
    return { plane, agent, post };
  }
  const firstEvents = async ({ plane }: Awaited<ReturnType<typeof patientStack>>) => {
    await eventually(() => plane.events.length > 0);
    return plane.events;
  };

  test('a quota is raised together with the object that needs the room', async () => {
    const quota = (services: string) => object('ResourceQuota', 'services', { spec: { hard: { 'count/services': services } } });
    const stack = await stackOf(quota('1'), service('one'));
    expect(await firstEvents(stack)).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await stack.post(quota('2'), service('one'), service('two'))).toMatchObject([{ status: 'SUCCESS' }]);
    const refused = await stack.post(quota('2'), service('one'), service('two'), service('three'));
    expect(refused).toMatchObject([{ status: 'FAILURE', message: expect.stringMatching(/Service\/.*three: .*exceeded quota/) }]);
    expect(refused[0]?.message).toContain('only its prerequisites were applied: 1 ResourceQuota');
    await stack.agent.stop();
    await kubectl('delete', 'resourcequota', 'services', '-n', namespace);
  }, 90_000);

  test('a limit is widened together with the object that is beyond the old one', async () => {
    const limits = (max: string) =>
      object('LimitRange', 'limits', { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: max } }] } });
    const claim = (storage: string) =>
      object('PersistentVolumeClaim', `claim-${storage.toLowerCase()}`, {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      });
    const health = { metadata: { annotations: { 'brokkr.io/health': 'apply-only' } } };
    const applyOnly = (manifest: Manifest): Manifest => ({ ...manifest, metadata: { ...manifest.metadata, ...health.metadata } });
    const stack = await stackOf(applyOnly(limits('1Gi')), claim('1Gi'));
    expect(await firstEvents(stack)).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await stack.post(applyOnly(limits('3Gi')), claim('1Gi'), claim('2Gi'))).toMatchObject([{ status: 'SUCCESS' }]);
    await kubectl('delete', 'limitrange', 'limits', '-n', namespace);
  }, 60_000);

  test('a policy is relaxed together with the object that it had forbidden', async () => {
    const group = 'admissionregistration.k8s.io/v1';
    const name = `labels-${namespace}`;
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    const policy = (expression: string) =>
      object(
        'ValidatingAdmissionPolicy',
        name,
        {
          spec: {
            failurePolicy: 'Fail',
            matchConstraints: {
              namespaceSelector: selector,
              resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
            },
            validations: [{ expression, message: 'a colour is needed' }],
          },
        },
        group,
        {},
      );
    const binding = object(
      'ValidatingAdmissionPolicyBinding',
      name,
      { spec: { policyName: name, validationActions: ['Deny'] } },
      group,
      {},
    );
    const strict = "!object.metadata.name.startsWith('coloured') || has(object.metadata.labels.colour)";
    const stack = await stackOf(policy(strict), binding);
    expect(await firstEvents(stack)).toMatchObject([{ status: 'SUCCESS' }]);
    const denied = () =>
      kubectl('create', 'configmap', 'coloured-probe', '-n', namespace, '--dry-run=server').then(
        () => false,
        () => true,
      );
    await eventually(denied, 15_000);
    expect(await stack.post(policy('true'), binding, map('coloured-one'))).toMatchObject([{ status: 'SUCCESS' }]);
  }, 90_000);

  const definition = (plural: string, kind: string) =>
    object(
      'CustomResourceDefinition',
      `${plural}.order.example.com`,
      {
        spec: {
          group: 'order.example.com',
          scope: 'Namespaced',
          names: { plural, singular: kind.toLowerCase(), kind },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      },
      'apiextensions.k8s.io/v1',
      {},
    );

  test('an object whose kind is still to come waits for it while the rest is applied', async () => {
    const stack = await stackOf(map('before'), object('Lateling', 'late', {}, 'order.example.com/v1'));
    await eventually(async () => (await kubectl('get', 'configmap', 'before', '-n', namespace, '--ignore-not-found')) !== '');
    expect(stack.plane.events).toEqual([]);
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(definition('latelings', 'Lateling')));
    await eventually(() => stack.plane.events.length > 0, 30_000);
    expect(stack.plane.events).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await kubectl('get', 'latelings.order.example.com', 'late', '-n', namespace, '-o', 'name')).toContain('late');
  }, 60_000);

  test('an object whose kind does not come is named when the time is over, and what a later stack drops stays until then', async () => {
    const stack = await patientStack(5_000, map('kept'));
    await firstEvents(stack);
    const missing = await stack.post(map('next'), object('Neverling', 'never', {}, 'order.example.com/v1'));
    expect(missing).toMatchObject([
      {
        status: 'FAILURE',
        message: expect.stringMatching(/^Neverling\/.*never: the cluster has no kind order\.example\.com\/v1 Neverling yet/),
      },
    ]);
    expect(await kubectl('get', 'configmap', 'next', 'kept', '-n', namespace, '-o', 'name')).toContain('kept');
  }, 60_000);

  test('a custom resource right after its definition is no failure while the API server prepares its storage', async () => {
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(definition('freshlings', 'Freshling')));
    const stack = await stackOf(object('Freshling', 'fresh', {}, 'order.example.com/v1'));
    expect(await firstEvents(stack)).toMatchObject([{ status: 'SUCCESS' }]);
  }, 60_000);

  test('a webhook whose server is away is repaired together with the objects that it stands in the way of', async () => {
    const webhook = (failurePolicy: string) =>
      object(
        'ValidatingWebhookConfiguration',
        `away-${namespace}`,
        {
          webhooks: [
            {
              name: 'services.order.example.com',
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              failurePolicy,
              timeoutSeconds: 1,
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
              clientConfig: { url: 'https://127.0.0.1:1/check' },
              rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['services'] }],
            },
          ],
        },
        'admissionregistration.k8s.io/v1',
        {},
      );
    const stack = await stackOf(webhook('Fail'));
    expect(await firstEvents(stack)).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await stack.post(webhook('Ignore'), service('behind-the-webhook'))).toMatchObject([{ status: 'SUCCESS' }]);
  }, 60_000);
});
