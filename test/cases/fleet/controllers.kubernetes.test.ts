import { clusterWide, object, workload } from './manifests.ts';
import { becomes, byHand, has, input, keeping, kubectl, looks, objects, patch, post, says, saysNothing, withNamespace } from './steps.ts';
import { describeStories } from './stories.ts';

const COLLECTED = [{ apiGroups: [''], resources: ['pods', 'endpoints'], verbs: ['get', 'list', 'watch'] }];
const RESTARTED_AT = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt';
const autoscaler = (kind: string, name: string, minReplicas: number): object =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind, name }, minReplicas, maxReplicas: 6 },
  });
/** Its bundle is injected by somebody else. It rules nothing: no namespace has this label. */
const webhook = clusterWide('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'NAMESPACE-inject', {
  webhooks: [
    {
      name: 'pods.inject.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Ignore',
      namespaceSelector: { matchLabels: { 'inject.example.com/for': 'nobody' } },
      clientConfig: { service: { namespace: 'NAMESPACE', name: 'inject' }, caBundle: '' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
  ],
});
const injected = JSON.stringify([{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: 'Y2VydGlmaWNhdGU=' }]);

const podsWithNote = {
  metadata: { labels: { app: 'logs' }, annotations: { 'example.com/note': 'ours' } },
  spec: { containers: [{ name: 'main', image: 'registry.example.com/logs:1' }] },
};

describeStories('fields that belong to controllers', (story) => {
  story('the autoscaler of a stack decides on the replicas of its Deployment', [
    post(input('hpa-and-replicas')),
    says('SUCCESS'),
    becomes('deployment/api', '/spec/replicas', 3),
    keeping('deployment/api', '/metadata/generation', looks(2), saysNothing),
    has('deployment/api', '/spec/replicas', 3),
  ]);

  story('so does an autoscaler that somebody else made, for a StatefulSet', [
    withNamespace,
    post(objects(workload('StatefulSet', 'queue', { spec: { replicas: 1, serviceName: 'queue' } }))),
    says('SUCCESS'),
    byHand(objects(autoscaler('StatefulSet', 'queue', 2))),
    becomes('statefulset/queue', '/spec/replicas', 2),
    looks(2),
    saysNothing,
    has('statefulset/queue', '/spec/replicas', 2),
  ]);

  story('replicas that the stack leaves out belong to who scales', [
    withNamespace,
    post(objects(workload('Deployment', 'web'))),
    says('SUCCESS'),
    kubectl('scale', 'deployment', 'web', '--replicas=3'),
    looks(2),
    saysNothing,
    has('deployment/web', '/spec/replicas', 3),
  ]);

  story('a field that `brokkr.io/ignore-fields` names stays as others set it', [
    withNamespace,
    post(
      objects(
        workload('Deployment', 'web', {
          spec: { replicas: 1 },
          metadata: { annotations: { 'brokkr.io/ignore-fields': '/spec/replicas' } },
        }),
      ),
    ),
    says('SUCCESS'),
    patch('deployment/web', { spec: { replicas: 2 } }, '--field-manager=event-scaler'),
    looks(2),
    saysNothing,
    has('deployment/web', '/spec/replicas', 2),
  ]);

  story('a role that collects others keeps the rules it has collected', [
    withNamespace,
    post(input('aggregated-clusterrole')),
    says('SUCCESS'),
    becomes('clusterrole/NAMESPACE-observer', '/rules', COLLECTED),
    keeping('clusterrole/NAMESPACE-observer', '/metadata/resourceVersion', looks(2), saysNothing),
  ]);

  story('an empty bundle of certificates keeps what is injected', [
    withNamespace,
    post(objects(webhook)),
    says('SUCCESS'),
    kubectl('patch', 'mutatingwebhookconfiguration', 'NAMESPACE-inject', '--type=json', `--patch=${injected}`, '--field-manager=injector'),
    looks(2),
    saysNothing,
    has('mutatingwebhookconfiguration/NAMESPACE-inject', '/webhooks/0/clientConfig/caBundle', 'Y2VydGlmaWNhdGU='),
  ]);

  story('`kubectl rollout restart` of a Deployment is left alone', [
    post(input('rollout-restart')),
    says('SUCCESS'),
    kubectl('rollout', 'restart', 'deployment/web'),
    keeping('deployment/web', RESTARTED_AT, looks(2), saysNothing),
  ]);

  story('so is that of a DaemonSet whose stack has annotations of its own on the pods', [
    withNamespace,
    post(objects(workload('DaemonSet', 'logs', { spec: { template: podsWithNote } }))),
    says('SUCCESS'),
    kubectl('rollout', 'restart', 'daemonset/logs'),
    keeping('daemonset/logs', RESTARTED_AT, looks(2), saysNothing),
    has('daemonset/logs', '/spec/template/metadata/annotations/example.com~1note', 'ours'),
  ]);
});
