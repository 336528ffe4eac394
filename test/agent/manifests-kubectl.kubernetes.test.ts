import { beforeAll, expect, test } from '@jest/globals';
import { parseManifests } from '../../agent/reconcile/desired/manifests.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';

const exported = `  creationTimestamp: "2026-01-01T00:00:00Z"
  generation: 3
  resourceVersion: "7"
  selfLink: /api/v1/namespaces/default/configmaps/a
  uid: 11111111-1111-4111-8111-111111111111
  managedFields:
  - {apiVersion: v1, fieldsType: FieldsV1, manager: kubectl, operation: Update, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:data": {}}}
`;

/** Whole objects, as people have them, and what they are called after reading. */
const TABLE: readonly { what: string; text: string; names: readonly string[] }[] = [
  {
    what: 'empty labels and annotations',
    text: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n  annotations:\ndata:\n',
    names: ['ConfigMap/a'],
  },
  {
    what: 'a label and an annotation of null',
    text: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    branch:\n    app: shop\n  annotations: {ticket: null, b: ~}\n',
    names: ['ConfigMap/a'],
  },
  { what: 'an empty namespace', text: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace:\n', names: ['ConfigMap/a'] },
  {
    what: 'byte order marks before any document',
    text: '\ufeffapiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n\ufeffapiVersion: v1\nkind: Secret\nmetadata: {name: b}\n',
    names: ['ConfigMap/a', 'Secret/b'],
  },
  {
    what: 'lines that end as on Windows',
    text: 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: a\r\ndata:\r\n  text: |\r\n    one\r\n    two\r\n---\r\napiVersion: v1\r\nkind: Secret\r\nmetadata: {name: b}\r\n',
    names: ['ConfigMap/a', 'Secret/b'],
  },
  {
    what: 'a typed list whose items leave out kind and apiVersion',
    text: 'apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n  data: {k: v}\n- metadata: {name: b}\n',
    names: ['ConfigMap/a', 'ConfigMap/b'],
  },
  {
    what: 'a typed list of another group',
    text: 'apiVersion: apps/v1\nkind: DeploymentList\nmetadata: {resourceVersion: "1"}\nitems:\n- metadata: {name: a}\n  spec: {replicas: 1}\n',
    names: ['Deployment/a'],
  },
  {
    what: 'a typed list whose items name their kind',
    text: 'apiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n',
    names: ['ConfigMap/a'],
  },
  { what: 'a list without items', text: 'apiVersion: v1\nkind: List\nitems: []\n', names: [] },
  {
    what: 'JSON objects one after another',
    text: '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}',
    names: ['ConfigMap/a', 'Secret/b'],
  },
  {
    what: 'JSON objects without anything between them, indented with tabs',
    text: '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "a"}\n}{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}\n',
    names: ['ConfigMap/a', 'Secret/b'],
  },
  {
    what: 'an exported object',
    text: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n${exported}data: {k: "1"}\n`,
    names: ['ConfigMap/a'],
  },
  {
    what: 'an exported list of kinds',
    text: `apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\nitems:\n${['ConfigMap', 'Secret']
      .map((kind) => `- apiVersion: v1\n  kind: ${kind}\n  metadata:\n    name: a\n${exported.replaceAll(/^(?=.)/gm, '  ')}`)
      .join('')}`,
    names: ['ConfigMap/a', 'Secret/a'],
  },
];

describeKubernetes('the real kubectl', () => {
  let kubernetes: TestCluster;
  beforeAll(async () => {
    kubernetes = await testCluster();
  }, 120_000);

  /** The objects as kubectl would send them. */
  const readByKubectl = (text: string) =>
    kubernetes.kubectl(['create', '--dry-run=client', '--validate=false', '-o', 'json', '-f', '-'], text);

  test.each(TABLE)('reads the same objects as the agent: $what', async ({ text, names }) => {
    const manifests = await parseManifests(text);
    expect(manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(names);
    if (names.length > 0) expect(await parseManifests(await readByKubectl(text))).toEqual(manifests.map(inNamespace));
  });
});

/** kubectl writes its own namespace into objects without one. */
const inNamespace = ({ metadata, ...rest }: { metadata: object }) => ({ ...rest, metadata: { namespace: 'default', ...metadata } });
