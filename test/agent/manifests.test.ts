import { expect, test } from '@jest/globals';
import { placeObjects } from '../../agent/reconcile/desired/desired.ts';
import { parseManifests } from '../../agent/reconcile/desired/manifests.ts';

const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

test('documents and lists become objects in their order', async () => {
  const list =
    'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n- {apiVersion: v1, kind: Service, metadata: {name: c}}\n';
  expect((await parseManifests(`# nothing\n---\n${map}---\n${list}`)).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ConfigMap a',
    'Secret b',
    'Service c',
  ]);
});

test.each([
  ['hello', /document 1, line 1: not an object/],
  [`${map}---\n- 1\n`, /document 2, line 5: is a list, not an object/],
  ['kind: ConfigMap\nmetadata: {name: a}\n', /apiVersion/],
  ['apiVersion: v1\nmetadata: {name: a}\n', /kind/],
  ['apiVersion: v1\nkind: ConfigMap\n', /metadata/],
  ['apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n', /generateName/],
  ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {k: 1}}\n', /metadata\.labels\.k: must be a string/],
  ['apiVersion: v1\nkind: List\nitems: [{kind: x}]\n', /item 1/],
])('%j is refused, saying where', async (text, message) => {
  await expect(parseManifests(text)).rejects.toThrow(message);
});

test.each([
  ['nothing', 'namespace:\n  labels:\n  annotations:'],
  ['null', 'namespace: null\n  labels: ~\n  annotations: null'],
  ['an empty text', 'namespace: ""\n  labels: {}\n  annotations: {}'],
])('an empty namespace, labels and annotations are as good as none: %s', async (_what, fields) => {
  const [manifest] = await parseManifests(`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  ${fields}\n`);
  expect(manifest?.metadata).not.toHaveProperty('namespace');
  expect([{}, undefined]).toContainEqual(manifest?.metadata.labels);
  expect([{}, undefined]).toContainEqual(manifest?.metadata.annotations);
});

test('a label or an annotation without a value has an empty one, as kubectl takes it', async () => {
  const [manifest] = await parseManifests(
    `${map.replace('{name: a}', '{name: a, labels: {app: shop, branch: null}, annotations: {ticket: ~}}')}`,
  );
  expect(manifest?.metadata).toMatchObject({ labels: { app: 'shop', branch: '' }, annotations: { ticket: '' } });
});

test('an object that was exported from a cluster is applied without what the cluster owns', async () => {
  const [manifest] = await parseManifests(
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  uid: e45b4081
  resourceVersion: "1107"
  generation: 3
  selfLink: /api/v1/x
  creationTimestamp: "2026-11-25T22:31:57Z"
  deletionTimestamp: null
  managedFields: [{manager: kubectl}]
  finalizers: [example.com/mine]
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", own: "1"}
data: {a: "1"}
status: {phase: Active}
`,
  );
  expect(manifest).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', finalizers: ['example.com/mine'], annotations: { own: '1' } },
    data: { a: '1' },
  });
});

test('the items of a list of one kind are of that kind, also if they do not say so', async () => {
  const list =
    'apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n';
  expect((await parseManifests(list)).map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name])).toEqual([
    ['v1', 'ConfigMap', 'a'],
    ['v1', 'Secret', 'b'],
  ]);
  await expect(parseManifests('apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n')).rejects.toThrow(/item 1: apiVersion/);
});

test('containers and labels that are merged from others are what kubectl makes of them', async () => {
  const [manifest] = await parseManifests(
    `${map}base:\n- &one {name: one, image: i, env: [{name: A}]}\n- <<: *one\n  name: two\nlabels: {<<: {app: x, tier: y}, tier: z}\n`,
  );
  expect(manifest).toMatchObject({
    base: [
      { name: 'one', image: 'i', env: [{ name: 'A' }] },
      { name: 'two', image: 'i', env: [{ name: 'A' }] },
    ],
    labels: { app: 'x', tier: 'z' },
  });
});

test('a byte order mark before a document is skipped, before the second one too', async () => {
  expect((await parseManifests(`\ufeff${map}---\n\ufeff${map}`)).map(({ kind }) => kind)).toEqual(['ConfigMap', 'ConfigMap']);
});

const placing = {
  owner: { agentId: 'a', stackId: 's' },
  deployment: { objectId: 'd', checksum: 'c' },
  defaultNamespace: 'watched',
  isReserved: () => false,
};
const kinds = new Map([
  ['v1 ConfigMap', { namespaced: true }],
  ['v1 Namespace', { namespaced: false }],
  ['example.com/v1 Widget', undefined],
]);

test("a namespace is the manifest's own, else the default, and none outside namespaces", async () => {
  const { desired: placed } = placeObjects(
    await parseManifests(
      `${map}---\n${map.replace('{name: a}', '{name: a, namespace: own}')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: one, namespace: odd}\n`,
    ),
    kinds,
    placing,
  );
  expect(placed.map(({ ref, manifest }) => [ref.kind, ref.namespace, manifest.metadata.namespace])).toEqual([
    ['Namespace', undefined, undefined],
    ['ConfigMap', 'own', 'own'],
    ['ConfigMap', 'watched', 'watched'],
  ]);
});

test("the same object twice and kinds that Kubernetes itself doesn't have are refused, all of them named", async () => {
  const text = `${map}---\n${map.replace('{name: a}', '{name: a, namespace: watched}')}---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: w}\n`;
  const manifests = await parseManifests(text);
  expect(() => placeObjects(manifests, kinds, placing)).toThrow(
    'ConfigMap/watched/a: is in the stack twice; remove one of them; PodSecurityPolicy/w: the cluster has no kind policy/v1beta1 PodSecurityPolicy; install its definition or correct apiVersion and kind',
  );
});

test('objects of kinds that may still come are set aside', async () => {
  const manifests = await parseManifests(`${map}---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n`);
  const { desired, unserved } = placeObjects(manifests, kinds, placing);
  expect(desired.map(({ ref }) => ref.name)).toEqual(['a']);
  expect(unserved).toEqual([{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w' }]);
});

test("objects that need the stack's own definitions are known before those are there", async () => {
  const crd =
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: Widget}}\n';
  const text = `${crd}---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n---\n${map.replace('{name: a}', '{name: a, namespace: fresh}')}---\n${map}`;
  const served = new Map([...kinds, ['apiextensions.k8s.io/v1 CustomResourceDefinition', { namespaced: false }]]);
  const late = placeObjects(await parseManifests(text), served, placing).desired.filter(({ needsDefinitions }) => needsDefinitions);
  expect(late.map(({ key }) => key)).toEqual(['/ConfigMap/fresh/a', 'example.com/Widget//w']);
});
