import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { yaml } from './agent-world.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from './agents-on-kubernetes.ts';
import { eventually } from './cluster-contract-objects.ts';
import { createModelControlPlane } from './model-control-plane.ts';

const RECREATE = { 'brokkr.io/recreate': 'immutable' };

describeKubernetes('objects that can not be changed in place', () => {
  let kubernetes: TestCluster;
  let namespace: string;
  let agents: AgentsOnKubernetes;
  beforeAll(async () => {
    agents = await agentsOnKubernetes({
      additionalRules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['bind'] }],
    });
    ({ kubernetes, namespace } = agents);
  }, 120_000);
  afterAll(() => agents.stop());

  const kubectl = (...args: string[]) => kubernetes.kubectl([...args, '-n', namespace]);
  const uid = (kind: string, name: string) => kubectl('get', kind, name, '-o', 'jsonpath={.metadata.uid}');
  const object = (kind: string, name: string, rest: object, apiVersion = 'v1', annotations: object = {}): Manifest =>
    ({
      apiVersion,
      kind,
      metadata: { name, namespace, annotations: { 'brokkr.io/health': 'apply-only', ...annotations } },
      ...rest,
    }) as Manifest;
  const pod = (app: string, image: string) => ({
    metadata: { labels: { app } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, args: ['--password=hunter2-hunter2'] }] },
  });
  const job = (name: string, image: string, annotations: object = {}) =>
    object('Job', name, { spec: { template: pod(name, image) } }, 'batch/v1', annotations);

  async function stackOf(...first: Manifest[]) {
    const plane = createModelControlPlane();
    const stack = plane.newStack();
    plane.post(stack, yaml(...first));
    const agent = await agents.start(plane);
    await eventually(() => plane.events.length > 0);
    expect(plane.events).toMatchObject([{ status: 'SUCCESS' }]);
    return {
      plane,
      stack,
      post: async (...objects: Manifest[]) => {
        const { id } = plane.post(stack, yaml(...objects));
        agent.wake();
        const said = () => plane.events.find(({ deployment_object_id }) => deployment_object_id === id);
        await eventually(() => said() !== undefined);
        return said();
      },
    };
  }

  test('a Job with another template is refused with the field and what to do, without its values', async () => {
    const { post } = await stackOf(job('refused', 'main:1'));
    const before = await uid('job', 'refused');
    const said = await post(job('refused', 'main:2'));
    expect(said?.status).toBe('FAILURE');
    expect(said?.message).toMatch(/^Job\/.*refused: .*spec\.template.*immutable.*annotate it with brokkr\.io\/recreate: "immutable"/s);
    expect(said?.message).not.toContain('hunter2');
    expect(await uid('job', 'refused')).toBe(before);
  }, 60_000);

  test.each([
    { what: 'a Job with another template', kind: 'job', name: 'again', make: (n: number) => job('again', `main:${n}`, RECREATE) },
    {
      what: 'a Deployment with another selector',
      kind: 'deployment',
      name: 'selected',
      make: (n: number) =>
        object(
          'Deployment',
          'selected',
          {
            spec: {
              selector: { matchLabels: { app: `selected-${n}` } },
              template: { metadata: { labels: { app: `selected-${n}` } }, spec: { containers: [{ name: 'main', image: 'main' }] } },
            },
          },
          'apps/v1',
          RECREATE,
        ),
    },
    {
      what: 'an immutable ConfigMap',
      kind: 'configmap',
      name: 'fixed',
      make: (n: number) => object('ConfigMap', 'fixed', { immutable: true, data: { n: String(n) } }, 'v1', RECREATE),
    },
    {
      what: 'a RoleBinding to another role',
      kind: 'rolebinding',
      name: 'bound',
      make: (n: number) =>
        object(
          'RoleBinding',
          'bound',
          {
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: n === 1 ? 'view' : 'edit' },
            subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
          },
          'rbac.authorization.k8s.io/v1',
          RECREATE,
        ),
    },
  ])(
    '$what is deleted and created again where the user asks for it',
    async ({ kind, name, make }) => {
      const { post } = await stackOf(make(1));
      const before = await uid(kind, name);
      expect(await post(make(2))).toMatchObject({ status: 'SUCCESS' });
      const after = await uid(kind, name);
      expect(after).not.toBe(before);
      expect(await post({ ...make(2), metadata: { ...make(2).metadata, labels: { changed: 'in-place' } } })).toMatchObject({
        status: 'SUCCESS',
      });
      expect(await uid(kind, name)).toBe(after);
    },
    60_000,
  );

  test('what would be refused as a new object, too, is not deleted', async () => {
    const { post } = await stackOf(job('wrong', 'main:1', RECREATE));
    const before = await uid('job', 'wrong');
    const wrong = object('Job', 'wrong', { spec: { backoffLimit: -1, template: pod('wrong', 'main:2') } }, 'batch/v1', RECREATE);
    expect(await post(wrong)).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('spec.backoffLimit') });
    expect(await uid('job', 'wrong')).toBe(before);
  }, 60_000);

  test("a stack's own word counts for its objects, but not for what holds data", async () => {
    const claim = (storage: string) =>
      object('PersistentVolumeClaim', 'data', {
        spec: { accessModes: [storage === '1Gi' ? 'ReadWriteOnce' : 'ReadWriteMany'], resources: { requests: { storage } } },
      });
    const { plane, stack, post } = await stackOf(claim('1Gi'), job('by-stack', 'main:1'));
    plane.stackAnnotationsOf.set(stack, RECREATE);
    const [claimed, ran] = [await uid('pvc', 'data'), await uid('job', 'by-stack')];
    expect(await post(claim('1Gi'), job('by-stack', 'main:2'))).toMatchObject({ status: 'SUCCESS' });
    expect(await uid('job', 'by-stack')).not.toBe(ran);
    expect(await post(claim('2Gi'), job('by-stack', 'main:2'))).toMatchObject({
      status: 'FAILURE',
      message: expect.stringMatching(/^PersistentVolumeClaim\/.*data: .*immutable/),
    });
    expect(await uid('pvc', 'data')).toBe(claimed);
  }, 60_000);

  test('an adopted object is not deleted to be created again', async () => {
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(job('adopted', 'main:1')));
    const before = await uid('job', 'adopted');
    const { post } = await stackOf(job('adopted', 'main:1', RECREATE));
    const said = await post(job('adopted', 'main:2', RECREATE));
    expect(said).toMatchObject({ status: 'FAILURE', message: expect.stringContaining("is not this stack's") });
    expect(await uid('job', 'adopted')).toBe(before);
  }, 60_000);
});
