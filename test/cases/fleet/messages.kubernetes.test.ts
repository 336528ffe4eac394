import { clusterWide, configMap, namespace, object, secret, service, workload } from './manifests.ts';
import {
  annotated,
  awaitRefusal,
  byHand,
  has,
  input,
  inTheEndSays,
  keeping,
  kubectl,
  neverSays,
  objects,
  patch,
  post,
  renewing,
  says,
  withdraw,
  withNamespace,
} from './steps.ts';
import { describeStories } from './stories.ts';

const PASSWORD = 'correct-horse-battery';
const firstJob = input('secret-values-in-errors-of-a-job.1');
const secondJob = input('secret-values-in-errors-of-a-job.2');
const RECREATE = { 'brokkr.io/recreate': 'immutable' };
const recreated = (yaml: string): string =>
  yaml.replace('  name: import', '  name: import\n  annotations: {brokkr.io/recreate: "immutable"}');

const IMAGE = '/spec/template/spec/containers/*/image';
const immutable = (level: string, metadata: object = {}): object =>
  object('v1', 'ConfigMap', 'frozen', { immutable: true, data: { level } }, metadata);
const selecting = (tier: string): object =>
  workload('Deployment', 'web', {
    spec: {
      selector: { matchLabels: { tier } },
      template: { metadata: { labels: { tier } }, spec: { containers: [{ name: 'main', image: 'registry.example.com/web:1' }] } },
    },
  });
const claiming = (storage: string): object =>
  workload('StatefulSet', 'queue', {
    spec: {
      serviceName: 'queue',
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } },
      ],
    },
  });

describeStories('fields that can not be changed', (story) => {
  story('the template of a Job: the reason comes with what to do, and without the password', [
    withNamespace,
    post(firstJob),
    says('SUCCESS'),
    post(secondJob),
    says('FAILURE', /Job\/\S+\/import/, /spec\.template/, /immutable/, /brokkr\.io\/recreate: "?immutable/),
    neverSays(PASSWORD),
  ]);

  story('a Job is deleted and made again where the user asks for it', [
    withNamespace,
    post(firstJob),
    says('SUCCESS'),
    renewing('job/import', post(recreated(secondJob)), says('SUCCESS')),
    has('job/import', IMAGE, ['registry.example.com/import:2']),
    neverSays(PASSWORD),
  ]);

  story('a ConfigMap that is immutable: the field is named, and it is made again where the stack asks for it', [
    withNamespace,
    post(objects(immutable('info'))),
    says('SUCCESS'),
    post(objects(immutable(PASSWORD))),
    says('FAILURE', /ConfigMap\/\S+\/frozen/, /data/, /immutable/, /brokkr\.io\/recreate/),
    neverSays(PASSWORD),
    annotated(RECREATE),
    renewing('configmap/frozen', post(objects(immutable('debug'))), says('SUCCESS')),
    has('configmap/frozen', '/data', { level: 'debug' }),
  ]);

  story('the selector of a Deployment', [
    withNamespace,
    post(objects(selecting('front'))),
    says('SUCCESS'),
    post(objects(selecting('back'))),
    says('FAILURE', /Deployment\/\S+\/web/, /spec\.selector/, /brokkr\.io\/recreate/),
    annotated(RECREATE),
    renewing('deployment/web', post(objects(selecting('other'))), says('SUCCESS')),
    has('deployment/web', '/spec/selector/matchLabels', { tier: 'other' }),
  ]);

  story('the claims of a StatefulSet, which keeps its other fields until then', [
    withNamespace,
    post(objects(claiming('1Gi'))),
    says('SUCCESS'),
    keeping(
      'statefulset/queue',
      '/metadata/uid',
      post(objects(claiming('2Gi'))),
      says('FAILURE', /StatefulSet\/\S+\/queue/, /brokkr\.io\/recreate/),
    ),
    annotated(RECREATE),
    renewing('statefulset/queue', post(objects(claiming('3Gi'))), says('SUCCESS')),
  ]);

  story('what can be changed is changed in place, also with the annotation', [
    withNamespace,
    annotated(RECREATE),
    post(objects(configMap('settings', { level: 'info' }))),
    says('SUCCESS'),
    keeping('configmap/settings', '/metadata/uid', post(objects(configMap('settings', { level: 'debug' }))), says('SUCCESS')),
  ]);

  story('an object that is merely wrong is not deleted, also with the annotation', [
    withNamespace,
    annotated(RECREATE),
    post(objects(service('web', { port: 80 }))),
    says('SUCCESS'),
    keeping('service/web', '/metadata/uid', post(objects(service('web', { port: 99_999 }))), says('FAILURE', /port/)),
  ]);
});

/** Quotes the values of the object that it refuses, as some webhooks do. */
const quotingPolicy = [
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'NAMESPACE-quoting', {
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'NAMESPACE' } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] }],
      },
      validations: [
        {
          expression: "!('password' in object.data)",
          messageExpression: "'weak secret: ' + object.data.password + '; rotate it'",
        },
      ],
    },
  }),
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', 'NAMESPACE-quoting', {
    spec: { policyName: 'NAMESPACE-quoting', validationActions: ['Deny'] },
  }),
];
const wrongTwice = service('web', { name: 'a', port: 99_999 }, { name: 'Not_A_Name', port: 80 });

describeStories('the reason of a refusal', (story) => {
  story("quotes no value of a Secret, though the policy's denial does", [
    withNamespace,
    byHand(objects(...quotingPolicy)),
    awaitRefusal(objects(secret('probe', { stringData: { password: 'x' } }))),
    post(objects(secret('login', { stringData: { password: PASSWORD } }))),
    says('FAILURE', /Secret\/\S+\/login/, /weak secret/),
    neverSays(PASSWORD),
    neverSays(Buffer.from(PASSWORD).toString('base64')),
    kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', 'NAMESPACE-quoting'),
  ]);

  story('names all wrong values of an object', [
    withNamespace,
    post(objects(wrongTwice)),
    says('FAILURE', /Service\/\S+\/web/, /spec\.ports\[0\]\.port/, /spec\.ports\[1\]\.name/),
  ]);
});

const failing = {
  labels: { app: 'web', 'pod-container-running-failed.stage.kwok.x-k8s.io': 'true' },
  annotations: { 'pod-container-running-failed.stage.kwok.x-k8s.io/reason': 'OOMKilled' },
};

describeStories('the reason why a workload is not ready', (story) => {
  story(
    'is that no node fits its pods',
    [post(input('fix-while-waiting.1')), says('FAILURE', /Deployment\/\S+\/web/, /node/, /selector|affinity/)],
    { healthTimeoutMs: 3_000 },
  );

  story(
    'is that a claim of its pods is not there',
    [
      withNamespace,
      post(
        objects(
          workload('StatefulSet', 'queue', { pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'nowhere' } }] } }),
        ),
      ),
      says('FAILURE', /StatefulSet\/\S+\/queue/, /nowhere.*not found|claim/),
    ],
    { healthTimeoutMs: 3_000 },
  );

  story(
    'is that the API server takes no pod of it',
    [
      withNamespace,
      byHand(objects(object('v1', 'ResourceQuota', 'none', { spec: { hard: { pods: '0' } } }))),
      post(objects(workload('Deployment', 'web'))),
      says('FAILURE', /Deployment\/\S+\/web/, /quota/),
    ],
    { healthTimeoutMs: 4_000 },
  );

  story(
    'is that its container crashed',
    [
      withNamespace,
      post(
        objects(
          workload('Deployment', 'web', {
            // Until then it is not available, so no look can come too early.
            spec: {
              minReadySeconds: 60,
              template: { metadata: failing, spec: { containers: [{ name: 'main', image: 'registry.example.com/web:1' }] } },
            },
          }),
        ),
      ),
      says('FAILURE', /Deployment\/\S+\/web/, /OOMKilled/),
    ],
    { healthTimeoutMs: 8_000 },
  );
});

describeStories('a Namespace that can not be finished', (story) => {
  story(
    'is told with the message of its condition',
    [
      post(objects(namespace, workload('Deployment', 'web'))),
      says('SUCCESS'),
      // Nobody counts an object that another one owns for a stranger's.
      async (story) => {
        const uid = await story.kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={.metadata.uid}']);
        const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true };
        await story.kubectl(['create', 'configmap', 'left']);
        await patch('configmap/left', { metadata: { finalizers: ['example.com/left'], ownerReferences: [owner] } })(story);
      },
      withdraw,
      says('FAILURE', /Namespace\/\S+/, /example\.com\/left/),
      kubectl('patch', 'configmap', 'left', '--type=merge', '--patch={"metadata":{"finalizers":null}}'),
      inTheEndSays('SUCCESS'),
    ],
    // The controller of Namespaces begins five seconds after the deletion.
    { healthTimeoutMs: 9_000 },
  );
});
