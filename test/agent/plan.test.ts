import { expect, test } from '@jest/globals';
import type { LiveObject, Manifest } from '../../agent/cluster/cluster.ts';
import { MESSAGES } from '../../agent/operator-messages.ts';
import { type Desired, placeObjects } from '../../agent/reconcile/desired/desired.ts';
import { objectKey, refOf } from '../../agent/reconcile/desired/object-key.ts';
import { type PlanInput, plan } from '../../agent/reconcile/plan/plan.ts';

const owner = { agentId: 'agent', stackId: 'stack' };
const object = (kind: string, name = 'a', apiVersion = 'v1'): Manifest => ({ apiVersion, kind, metadata: { name, namespace: 'n' } });
const desired = (...manifests: Manifest[]): Desired[] =>
  placeObjects(manifests, new Map(manifests.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { namespaced: true }])), {
    owner,
    deployment: { objectId: 'object', checksum: 'sum' },
    defaultNamespace: 'default',
    isReserved: () => false,
  }).desired;
const live = (
  manifest: Manifest,
  metadata: Record<string, unknown> = {},
  labels: Record<string, string> = { 'brokkr.io/owner-id': 'agent', 'k8s.brokkr.io/stack': 'stack' },
): [string, LiveObject] => [
  objectKey(refOf(manifest)),
  { ...manifest, metadata: { ...manifest.metadata, labels, uid: `uid-${manifest.metadata.name}`, resourceVersion: '1', ...metadata } },
];

function flat(input: Partial<PlanInput>): string[] {
  const { stages, refused, left } = plan({
    owner,
    desired: [],
    inventory: [],
    live: new Map(),
    apply: 'all',
    pruneReason: 'left the stack',
    ...input,
  });
  return [
    ...refused.map(({ ref, because }) => `refuse ${ref.kind} ${because}`),
    ...stages.flatMap(({ name, actions }) =>
      actions.map(
        (action) =>
          `${name} ${action.do} ${action.do === 'apply' ? `${action.object.ref.kind} ${action.because}` : `${action.ref.kind} ${action.because}`}`,
      ),
    ),
    ...left.map(({ ref, because }) => `leave ${ref.kind} ${because}`),
  ];
}

test('definitions come before what they define, what others need before them, admission last', () => {
  const shuffled = [
    'ValidatingWebhookConfiguration',
    'Deployment',
    'Widget',
    'CustomResourceDefinition',
    'Service',
    'ConfigMap',
    'Namespace',
    'Role',
    'Ingress',
    'ServiceAccount',
  ];
  const input = shuffled.map((kind) => object(kind, 'a', kind === 'Widget' ? 'example.com/v1' : 'v1'));
  expect(flat({ desired: desired(...input) })).toEqual([
    'definitions apply Namespace new',
    'definitions apply CustomResourceDefinition new',
    'workloads apply ServiceAccount new',
    'workloads apply ConfigMap new',
    'workloads apply Role new',
    'workloads apply Service new',
    'workloads apply Deployment new',
    'workloads apply Ingress new',
    'workloads apply Widget new',
    'admission apply ValidatingWebhookConfiguration new',
  ]);
});

test('prunes run in the opposite order', () => {
  const before = ['Namespace', 'ConfigMap', 'Deployment', 'ValidatingWebhookConfiguration'].map((kind) => object(kind));
  expect(flat({ inventory: before.map(refOf), live: new Map(before.map((item) => live(item))) })).toEqual([
    'prune prune ValidatingWebhookConfiguration left the stack',
    'prune prune Deployment left the stack',
    'prune prune ConfigMap left the stack',
    'prune prune Namespace left the stack',
  ]);
});

test('the same input in any order gives the same plan', () => {
  const names = ['c', 'a', 'b'].map((name) => object('ConfigMap', name));
  expect(plan({ owner, desired: desired(...names), inventory: [], live: new Map(), apply: 'all', pruneReason: 'withdrawn' })).toEqual(
    plan({ owner, desired: desired(...names.reverse()), inventory: [], live: new Map(), apply: 'all', pruneReason: 'withdrawn' }),
  );
});

test.each<{ when: string; apply: PlanInput['apply']; before: boolean; exists: boolean; expected: string }>([
  { when: 'new contents, not owned before', apply: 'all', before: false, exists: false, expected: 'workloads apply ConfigMap new' },
  { when: 'new contents, owned before', apply: 'all', before: true, exists: true, expected: 'workloads apply ConfigMap changed' },
  {
    when: 'a check, and it is gone',
    apply: { drifted: new Set() },
    before: true,
    exists: false,
    expected: 'workloads apply ConfigMap missing',
  },
  {
    when: 'a check, and it was changed',
    apply: { drifted: new Set(['/ConfigMap/n/a']) },
    before: true,
    exists: true,
    expected: 'workloads apply ConfigMap drifted',
  },
  {
    when: 'a check, and it is as it was',
    apply: { drifted: new Set() },
    before: true,
    exists: true,
    expected: 'leave ConfigMap unchanged',
  },
])('a wanted object, $when: $expected', ({ apply, before, exists, expected }) => {
  const manifest = object('ConfigMap');
  expect(
    flat({
      desired: desired(manifest),
      inventory: before ? [refOf(manifest)] : [],
      live: new Map(exists ? [live(manifest)] : []),
      apply,
    }),
  ).toEqual([expected]);
});

test.each<{ expected: string; metadata?: Record<string, unknown>; labels?: Record<string, string> }>([
  { expected: 'prune prune Secret withdrawn', metadata: {} },
  { expected: 'leave Secret gone' },
  { expected: 'leave Secret kept', metadata: { annotations: { 'brokkr.io/keep': 'true' } } },
  { expected: 'prune prune Secret withdrawn', metadata: { annotations: { 'brokkr.io/keep': 'false' } } },
  { expected: 'leave Secret controlled', metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x' }] } },
  { expected: 'leave Secret terminating', metadata: { deletionTimestamp: 'now' } },
  {
    expected: 'leave Secret not labelled as ours',
    metadata: {},
    labels: { 'brokkr.io/owner-id': 'other', 'k8s.brokkr.io/stack': 'stack' },
  },
  {
    expected: 'leave Secret not labelled as ours',
    metadata: {},
    labels: { 'brokkr.io/owner-id': 'agent', 'k8s.brokkr.io/stack': 'other' },
  },
  { expected: 'leave Secret not labelled as ours', metadata: {}, labels: {} },
])('an object no longer wanted: $expected ($metadata, labels $labels)', ({ expected, metadata, labels }) => {
  const manifest = object('Secret');
  expect(
    flat({ inventory: [refOf(manifest)], live: new Map(metadata ? [live(manifest, metadata, labels)] : []), pruneReason: 'withdrawn' }),
  ).toEqual([expected]);
});

test.each([
  { because: 'belongs to agent other; take it out of one of the two', labels: { 'brokkr.io/owner-id': 'other' } },
  {
    because: MESSAGES.belongsToStackOfAgent('other', 'brokkr.io/takes-over', 'brokkr.io/keep'),
    labels: { 'brokkr.io/owner-id': 'agent', 'k8s.brokkr.io/stack': 'other' },
  },
])('an object that $because is refused', ({ because, labels }) => {
  const manifest = object('ConfigMap');
  expect(flat({ desired: desired(manifest), live: new Map([live(manifest, {}, labels)]) })).toEqual([`refuse ConfigMap ${because}`]);
});

test('an object written in another version of its API is the same object', () => {
  expect(
    flat({
      desired: desired(object('Ingress', 'a', 'networking.k8s.io/v1')),
      inventory: [refOf(object('Ingress', 'a', 'networking.k8s.io/v1beta1'))],
    }),
  ).toEqual(['workloads apply Ingress changed']);
});
