import { configMap, object } from './manifests.ts';
import {
  appears,
  byHand,
  define,
  exists,
  has,
  input,
  isGone,
  kubectl,
  neverSays,
  objects,
  patch,
  post,
  says,
  withNamespace,
} from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const RELEASE = 'releases.apps.NAMESPACE.example.com/gateway';
const release = (values: string): string => `${input('yes-no-on-off.1').split('values:')[0]}values: ${values}\n`;

/** Posts what `kubectl get -o yaml` says of an object. */
const postExported =
  (what: string, change: (text: string) => string = (text) => text): Step =>
  async (story) => {
    const exported = await story.kubectl(['get', ...what.split('/'), '-o', 'yaml', '--show-managed-fields']);
    await post(change(exported))(story);
  };

const podWithEmptyLabel = {
  metadata: { labels: { branch: null } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main' }] },
};

describeStories('a stack is read as `kubectl` reads it', (story) => {
  story('yes, no, on and off are booleans in a custom resource', [
    withNamespace,
    define(input('yes-no-on-off.0')),
    post(input('yes-no-on-off.1')),
    says('SUCCESS'),
    has(RELEASE, '/spec/values', { metrics: { enabled: false }, debugEndpoint: { enabled: false }, tls: { enabled: true } }),
  ]);

  story('so are other ways to write them; numbers in base eight and quoted words are what they look like', [
    withNamespace,
    define(input('yes-no-on-off.0')),
    post(release('{a: Yes, b: OFF, mode: 0644, text: "no", large: 1_000}')),
    says('SUCCESS'),
    has(RELEASE, '/spec/values', { a: true, b: false, mode: 420, text: 'no', large: 1000 }),
  ]);

  story('merge keys are merged', [
    post(input('merge-keys')),
    says('SUCCESS'),
    has('deployment/workers', '/spec/template/metadata/labels', { app: 'workers', team: 'billing', tier: 'batch' }),
    has('deployment/workers', '/spec/template/spec/containers/*/name', ['invoices', 'reminders']),
    has('deployment/workers', '/spec/template/spec/containers/*/env/*/value', [['invoices'], ['reminders']]),
    has('deployment/workers', '/spec/template/spec/containers/1/resources/requests', { cpu: '50m', memory: '64Mi' }),
  ]);

  story('nested merge keys and lists of them are merged, also in a custom resource', [
    withNamespace,
    define(input('yes-no-on-off.0')),
    post(
      release(
        '{base: &base {cpu: 1, deep: &deep {x: 1}}, more: &more {memory: 2, cpu: 9}, both: {<<: [*base, *more], disk: 3}, inner: {deep: {<<: *deep, z: 2}}, twice: &twice {<<: *base, cpu: 5}, thrice: {<<: *twice}}',
      ),
    ),
    says('SUCCESS'),
    has(RELEASE, '/spec/values/both', { cpu: 1, deep: { x: 1 }, memory: 2, disk: 3 }),
    has(RELEASE, '/spec/values/inner', { deep: { x: 1, z: 2 } }),
    has(RELEASE, '/spec/values/thrice', { cpu: 5, deep: { x: 1 } }),
  ]);

  story('a label and an annotation without a value are empty', [
    post(input('empty-label-value')),
    says('SUCCESS'),
    has('configmap/settings', '/metadata/labels/branch', ''),
    has('configmap/settings', '/metadata/labels/app', 'shop'),
  ]);

  story('labels and annotations that are there and hold nothing are none, also of pods', [
    withNamespace,
    post(
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: bare\n  namespace: NAMESPACE\n  labels:\n  annotations:\nspec: {containers: [{name: main, image: main}]}\n---\n' +
        objects(object('batch/v1', 'Job', 'once', { spec: { template: podWithEmptyLabel } })),
    ),
    says('SUCCESS'),
    exists('pod/bare'),
    has('job/once', '/spec/template/metadata/labels/branch', ''),
  ]);

  story('annotations that are a list are refused with their name', [
    withNamespace,
    post('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: listed\n  namespace: NAMESPACE\n  annotations: [hush-hush]\n'),
    says('FAILURE', /annotations/),
    neverSays('hush-hush'),
    isGone('configmap/listed'),
  ]);

  story('a list of a kind gives its items their kind', [
    withNamespace,
    post(input('list-of-a-kind')),
    says('SUCCESS'),
    has('configmap/one', '/data', { a: '1' }),
  ]);

  story('a list that the API server answered', [
    withNamespace,
    kubectl('create', 'configmap', 'answered', '--from-literal=a=1'),
    async (story) => {
      const path = '/api/v1/namespaces/NAMESPACE/configmaps?fieldSelector=metadata.name%3Danswered';
      await post(await story.kubectl(['get', '--raw', path]))(story);
    },
    says('SUCCESS', /1 adopted/),
    exists('configmap/answered'),
  ]);

  story('a byte order mark before any document is skipped', [
    withNamespace,
    post(input('bom-right-before-a-document')),
    says('SUCCESS', /2 created/),
    exists('configmap/one', 'configmap/two'),
  ]);

  story('so is one before JSON, and lines may end as on Windows', [
    withNamespace,
    post(`\ufeff${objects(configMap('first'))}\r\n---\r\n\ufeff${input('list-of-a-kind').replaceAll('\n', '\r\n')}`),
    says('SUCCESS', /2 created/),
    exists('configmap/first', 'configmap/one'),
  ]);

  story('an object that was exported is applied, and changed after the live one has changed', [
    withNamespace,
    byHand(input('exported-object.0')),
    async (story) => {
      const exported = await story.kubectl(['get', 'configmap', 'limits', '-o', 'yaml', '--show-managed-fields']);
      await kubectl('annotate', 'configmap', 'limits', 'by=hand')(story);
      await post(exported)(story);
      await says('SUCCESS')(story);
      await patch('configmap/limits', { data: { requests: '5' } })(story);
      await post(exported.replace('requests: "10"', 'requests: "20"'))(story);
      await says('SUCCESS')(story);
    },
    has('configmap/limits', '/data', { requests: '20' }),
  ]);

  story('so is an exported Service with its addresses, after somebody deleted the live one', [
    withNamespace,
    kubectl('create', 'service', 'clusterip', 'web', '--tcp=80'),
    async (story) => {
      const exported = await story.kubectl(['get', 'service', 'web', '-o', 'yaml']);
      await kubectl('delete', 'service', 'web')(story);
      await post(exported)(story);
    },
    says('SUCCESS'),
    exists('service/web'),
  ]);

  story('and an exported Deployment with its status and generation', [
    withNamespace,
    kubectl('create', 'deployment', 'web', '--image=registry.example.com/web:1'),
    appears('deployment/web'),
    postExported('deployment/web', (text) => text.replace('web:1', 'web:2')),
    says('SUCCESS'),
    has('deployment/web', '/spec/template/spec/containers/*/image', ['registry.example.com/web:2']),
  ]);
});

const ports = { containers: [{ name: 'main', image: 'main', ports: [{ containerPort: 80 }, { containerPort: 80 }] }] };

describeStories('what the cluster can not take is refused clearly', (story) => {
  story('an environment variable that is there twice', [
    post(input('env-twice')),
    says('FAILURE', /Deployment\/\S+\/web/, /duplicate|twice/, /env/, /LOG_LEVEL/),
    isGone('deployment/web'),
  ]);

  story('a port that is there twice', [
    withNamespace,
    post(objects(object('v1', 'Pod', 'web', { spec: ports }))),
    says('FAILURE', /Pod\/\S+\/web/, /duplicate|twice/, /ports/),
    isGone('pod/web'),
  ]);

  story('a name that is to be generated', [
    withNamespace,
    post(input('generate-name')),
    says('FAILURE', /generateName/, /name/),
    isGone('job'),
  ]);

  story('so it is inside of a list', [
    withNamespace,
    post(
      objects({
        apiVersion: 'v1',
        kind: 'List',
        items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'some-', namespace: 'NAMESPACE' } }],
      }),
    ),
    says('FAILURE', /generateName/),
  ]);

  story(
    'an API version that was removed',
    [withNamespace, post(input('removed-api-version')), says('FAILURE', /PodDisruptionBudget/, /policy\/v1beta1/)],
    { healthTimeoutMs: 2_000 },
  );

  story(
    'another one, of a kind that now has another group',
    [
      withNamespace,
      post(objects(object('extensions/v1beta1', 'Ingress', 'web', { spec: {} }))),
      says('FAILURE', /Ingress/, /extensions\/v1beta1/),
    ],
    { healthTimeoutMs: 2_000 },
  );

  story('but a namespace on objects of the whole cluster is dropped', [
    withNamespace,
    post(input('namespace-on-cluster-scoped')),
    says('SUCCESS', /3 created/),
    has('clusterrole/NAMESPACE-reader', '/metadata/namespace', undefined),
    has('clusterrolebinding/NAMESPACE-reader', '/roleRef/name', 'NAMESPACE-reader'),
  ]);

  story('also on a Namespace and on a definition', [
    post(
      objects({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'NAMESPACE', namespace: 'shop' } }) +
        `\n---\n${input('first-object-of-a-new-kind.0').replace('metadata: {', 'metadata: {namespace: shop, ')}`,
    ),
    says('SUCCESS', /2 created/),
  ]);
});
