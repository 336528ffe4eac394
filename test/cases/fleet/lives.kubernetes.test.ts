import { configMap, object, workload } from './manifests.ts';
import {
  appears,
  attempts,
  define,
  disappears,
  has,
  input,
  inTheEndSays,
  isGone,
  kubectl,
  looks,
  objects,
  patch,
  post,
  restart,
  says,
  saysNothing,
  withdraw,
  withNamespace,
} from './steps.ts';
import { describeStories } from './stories.ts';

const ROUTES = 'routes.net.NAMESPACE.example.com';
const noFinalizers = { metadata: { finalizers: null } };
const once = object('batch/v1', 'Job', 'once', {
  spec: {
    ttlSecondsAfterFinished: 3,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'once', image: 'registry.example.com/once:1' }] } },
  },
});
const pod = {
  containers: [{ name: 'main', image: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'orders-data' } }],
};

describeStories('objects of an API version that is no longer served', (story) => {
  story('are found and deleted in the version that is', [
    define(input('api-version-gone.0')),
    post(input('api-version-gone.1')),
    says('SUCCESS'),
    define(input('api-version-gone.2')),
    post(input('api-version-gone.3')),
    inTheEndSays('SUCCESS', /1 deleted/),
    isGone(`${ROUTES}/public`),
  ]);

  story(
    'and are so when the whole stack goes',
    [
      define(input('api-version-gone.0')),
      post(input('api-version-gone.1')),
      says('SUCCESS'),
      define(input('api-version-gone.2')),
      withdraw,
      says('SUCCESS', /3 deleted/),
      isGone(`${ROUTES}/public`, 'configmap/other'),
    ],
    { driftIntervalMs: 0 },
  );
});

describeStories('objects that take their time', (story) => {
  story(
    'a finalizer that nobody removes is a failure at the deadline, and a success when it is gone',
    [
      withNamespace,
      post(input('finalizer-nobody-removes')),
      says('SUCCESS'),
      withdraw,
      says('FAILURE', /ConfigMap\/\S+\/guarded/, /finalizer/),
      patch('configmap/guarded', noFinalizers),
      inTheEndSays('SUCCESS'),
      isGone('configmap/guarded'),
    ],
    { healthTimeoutMs: 2_000 },
  );

  story(
    "a claim that another team's pod uses goes when the pod is gone",
    [
      withNamespace,
      post(input('object-moves-between-stacks')),
      says('SUCCESS'),
      async (story) => void (await story.kubectl(['apply', '-f', '-'], objects(object('v1', 'Pod', 'reader', { spec: pod })))),
      kubectl('wait', '--for=condition=Ready', 'pod/reader'),
      withdraw,
      says('FAILURE', /PersistentVolumeClaim\/\S+\/orders-data/, /finalizer|reader|pod/),
      kubectl('delete', 'pod', 'reader', '--wait=false'),
      inTheEndSays('SUCCESS'),
      isGone('persistentvolumeclaim/orders-data'),
    ],
    { healthTimeoutMs: 2_000 },
  );

  story('a Job that clears itself away does not come back', [
    post(input('job-that-clears-itself')),
    says('SUCCESS'),
    disappears('job/once'),
    looks(2),
    isGone('job/once'),
    saysNothing,
    restart,
    looks(1),
    isGone('job/once'),
    saysNothing,
  ]);

  story('nor does it when an object beside it is made again', [
    withNamespace,
    post(objects(once, configMap('beside'))),
    says('SUCCESS'),
    disappears('job/once'),
    kubectl('delete', 'configmap', 'beside'),
    appears('configmap/beside'),
    says('SUCCESS', /beside/),
    looks(1),
    isGone('job/once'),
  ]);

  story('a fix that is posted while the broken contents are waited for is applied at once', [
    post(input('fix-while-waiting.1')),
    attempts('check-health', 2),
    saysNothing,
    post(input('fix-while-waiting.2')),
    says('SUCCESS'),
    has('deployment/web', '/spec/template/spec/nodeSelector', undefined),
  ]);

  story('so is a fix of a pod that waits for a claim that is not there', [
    withNamespace,
    post(objects(workload('Deployment', 'web', { pod: { volumes: pod.volumes } }))),
    attempts('check-health', 2),
    saysNothing,
    post(objects(workload('Deployment', 'web', { pod: { volumes: [] } }))),
    says('SUCCESS'),
  ]);
});
