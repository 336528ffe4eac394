import { configMap, service, workload } from './manifests.ts';
import { exists, has, input, looks, neverSays, objects, post, says, saysNothing, withNamespace } from './steps.ts';
import { describeStories } from './stories.ts';

const db = 'deployment/db';
const volume = (source: object): object => workload('Deployment', 'web', { pod: { volumes: [{ name: 'files', ...source }] } });
const probe = (how: object): object => workload('Deployment', 'web', { container: { readinessProbe: how } });
const VOLUMES = '/spec/template/spec/volumes/0';
const PROBE = '/spec/template/spec/containers/0/readinessProbe';

// The API server fills the fields of the first choice with defaults. They stand in the way of the second.
describeStories('another choice of several that exclude each other', (story) => {
  story('a Deployment without a strategy is given Recreate, and then the default again', [
    post(input('recreate-strategy.1')),
    says('SUCCESS'),
    post(input('recreate-strategy.2')),
    says('SUCCESS'),
    has(db, '/spec/strategy', { type: 'Recreate' }),
    looks(1),
    saysNothing,
    post(input('recreate-strategy.1')),
    says('SUCCESS'),
    has(db, '/spec/strategy/type', 'RollingUpdate'),
  ]);

  story('the same with `rollingUpdate: null`', [
    post(input('recreate-strategy.1')),
    says('SUCCESS'),
    post(input('recreate-strategy.3')),
    says('SUCCESS'),
    has(db, '/spec/strategy', { type: 'Recreate' }),
  ]);

  story('a StatefulSet is given OnDelete', [
    withNamespace,
    post(objects(workload('StatefulSet', 'queue', { spec: { serviceName: 'queue' } }))),
    says('SUCCESS'),
    post(objects(workload('StatefulSet', 'queue', { spec: { serviceName: 'queue', updateStrategy: { type: 'OnDelete' } } }))),
    says('SUCCESS'),
    has('statefulset/queue', '/spec/updateStrategy', { type: 'OnDelete' }),
  ]);

  story('a DaemonSet with its own rolling update is given OnDelete', [
    withNamespace,
    post(objects(workload('DaemonSet', 'logs', { spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } } }))),
    says('SUCCESS'),
    post(objects(workload('DaemonSet', 'logs', { spec: { updateStrategy: { type: 'OnDelete' } } }))),
    says('SUCCESS'),
    has('daemonset/logs', '/spec/updateStrategy', { type: 'OnDelete' }),
  ]);

  story('a volume comes from a Secret instead of a ConfigMap', [
    withNamespace,
    post(objects(volume({ configMap: { name: 'files', optional: true } }))),
    says('SUCCESS'),
    post(objects(volume({ secret: { secretName: 'files', optional: true } }))),
    says('SUCCESS'),
    has('deployment/web', `${VOLUMES}/secret/secretName`, 'files'),
    has('deployment/web', `${VOLUMES}/configMap`, undefined),
  ]);

  story('a probe asks a port instead of a path', [
    withNamespace,
    post(objects(probe({ httpGet: { path: '/', port: 80 } }))),
    says('SUCCESS'),
    post(objects(probe({ tcpSocket: { port: 80 } }))),
    says('SUCCESS'),
    has('deployment/web', `${PROBE}/tcpSocket`, { port: 80 }),
    has('deployment/web', `${PROBE}/httpGet`, undefined),
  ]);

  story('a Service names another host instead of pods', [
    withNamespace,
    post(objects(service('web', { port: 80 }))),
    says('SUCCESS'),
    post(
      objects({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'NAMESPACE' },
        spec: { type: 'ExternalName', externalName: 'web.example.com' },
      }),
    ),
    says('SUCCESS'),
    has('service/web', '/spec/externalName', 'web.example.com'),
    has('service/web', '/spec/clusterIP', undefined),
  ]);
});

describeStories('a text that `kubectl` reads in its own way', (story) => {
  story('a boolean where a ConfigMap needs a text is refused with its key and what to do, and without its value', [
    withNamespace,
    post('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: codes, namespace: NAMESPACE}\ndata: {country: NO, key: hush-hush}\n'),
    says('FAILURE', /ConfigMap\/\S*codes/, /country/, /quot/),
    neverSays('hush-hush'),
  ]);

  story('documents of JSON may follow each other without a line between them', [
    withNamespace,
    post(`${objects(configMap('first'))}\n${objects(configMap('second'))}`),
    says('SUCCESS', /2 created/),
    exists('configmap/first', 'configmap/second'),
  ]);
});
