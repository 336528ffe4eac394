import { clusterWide, configMap, namespace, object, service } from './manifests.ts';
import {
  annotated,
  appears,
  awaitRefusal,
  byHand,
  define,
  exists,
  has,
  input,
  inTheEndSays,
  kubectl,
  objects,
  post,
  says,
  saysNothing,
  stack,
  withNamespace,
} from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const pod = (cpu: string): object =>
  object('v1', 'Pod', 'worker', {
    spec: { containers: [{ name: 'main', image: 'registry.example.com/worker:1', resources: { limits: { cpu } } }] },
  });
const limits = (cpu: string): object => object('v1', 'LimitRange', 'limits', { spec: { limits: [{ type: 'Container', max: { cpu } }] } });

/** Refuses ConfigMaps without one of these keys. */
const policy = (...keys: readonly string[]): object[] => [
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'NAMESPACE-keys', {
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'NAMESPACE' } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
      },
      validations: [{ expression: `object.data.exists(key, key in ${JSON.stringify(keys)})`, message: 'a key is missing' }],
    },
  }),
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', 'NAMESPACE-keys', {
    spec: { policyName: 'NAMESPACE-keys', validationActions: ['Deny'] },
  }),
];

const TEMPLATE = 'ruletemplates.rules.NAMESPACE.example.com/neededlabels';
const MADE = 'neededlabels.made.rules.NAMESPACE.example.com/every-namespace-has-a-team';
const BUCKETS = 'buckets.store.NAMESPACE.example.com';
const established: Step = kubectl('wait', '--for=condition=Established', `customresourcedefinition/${BUCKETS}`);
const bucket = (name: string): string => input('first-object-of-a-new-kind.1').replace('invoices', name);

describeStories('what an earlier object of a stack allows is not refused before it', (story) => {
  story('a quota that is raised together with what needs the room', [
    post(input('quota-raised-with-objects.1')),
    says('SUCCESS'),
    post(input('quota-raised-with-objects.2')),
    says('SUCCESS'),
    exists('service/first', 'service/second'),
    saysNothing,
  ]);

  story('a limit range that is raised together with a pod beyond the old limit', [
    withNamespace,
    post(objects(limits('1'))),
    says('SUCCESS'),
    awaitRefusal(objects(pod('2'))),
    post(objects(pod('2'), limits('4'))),
    says('SUCCESS'),
    exists('pod/worker'),
  ]);

  story('an admission policy that is changed together with what it ruled out', [
    withNamespace,
    post(objects(...policy('owner'))),
    says('SUCCESS'),
    awaitRefusal(objects(configMap('notes', { team: 'a' }))),
    post(objects(configMap('notes', { team: 'a' }), ...policy('owner', 'team'))),
    says('SUCCESS'),
    exists('configmap/notes'),
  ]);

  story('a quota that stays too small is a failure in the end, which says so', [
    post(input('quota-raised-with-objects.1')),
    says('SUCCESS'),
    annotated({ 'brokkr.io/health-timeout-seconds': '3' }),
    post(input('quota-raised-with-objects.2').replace('"3"', '"1"')),
    says('FAILURE', /Service\/\S+\/second/, /exceeded quota: limits/),
    exists('service/first'),
  ]);

  story('a wrong object still refuses the whole stack before anything is touched', [
    withNamespace,
    post(objects(limits('1'), configMap('fine'), object('v1', 'ConfigMap', 'wrong', { data: { port: 80 } }))),
    says('FAILURE', /ConfigMap\/\S+\/wrong/, /port/, /nothing was changed/),
    has('configmap/fine', '/data', undefined),
    has('limitrange/limits', '/spec', undefined),
  ]);
});

describeStories('an object whose kind is not there yet', (story) => {
  story('waits for the controller that makes its kind, while the rest is applied', [
    withNamespace,
    define(input('definition-made-by-controller.0')),
    post(input('definition-made-by-controller.1')),
    appears(TEMPLATE),
    byHand(input('definition-made-by-controller.2')),
    says('SUCCESS'),
    exists(MADE),
    saysNothing,
  ]);

  story(
    'is named in the failure when its kind never comes, and applied by the next post once it is there',
    [
      withNamespace,
      define(input('definition-made-by-controller.0')),
      post(input('definition-made-by-controller.1')),
      says('FAILURE', /NeededLabels/, /no kind|kind .*not/),
      exists(TEMPLATE),
      define(input('definition-made-by-controller.2')),
      post(input('definition-made-by-controller.1')),
      inTheEndSays('SUCCESS'),
      exists(MADE),
    ],
    { healthTimeoutMs: 3_000 },
  );

  story('waits in a stack that brings its Namespace and other objects, too', [
    post(`${objects(namespace, configMap('beside'))}\n---\n${bucket('waits')}`),
    appears('configmap/beside'),
    byHand(input('first-object-of-a-new-kind.0')),
    says('SUCCESS'),
    exists(`${BUCKETS}/waits`),
  ]);
});

describeStories('a kind that is some moments old', (story) => {
  story('takes its first object without a failure', [
    withNamespace,
    byHand(input('first-object-of-a-new-kind.0')),
    established,
    post(input('first-object-of-a-new-kind.1')),
    says('SUCCESS'),
    exists(`${BUCKETS}/invoices`),
    saysNothing,
  ]);

  story('takes objects of two stacks at once', [
    withNamespace,
    byHand(input('first-object-of-a-new-kind.0')),
    established,
    post(bucket('one')),
    stack('other'),
    post(`${bucket('two')}\n---\n${objects(service('beside', { port: 80 }))}`),
    says('SUCCESS'),
    saysNothing,
    stack(''),
    says('SUCCESS'),
    saysNothing,
    exists(`${BUCKETS}/one`, `${BUCKETS}/two`),
  ]);
});
