import { configMap, service } from './manifests.ts';
import {
  annotated,
  becomes,
  byHand,
  has,
  input,
  kubectl,
  looks,
  mentions,
  objects,
  patch,
  post,
  says,
  saysNothing,
  withNamespace,
} from './steps.ts';
import { describeStories } from './stories.ts';

const container = (fields: object): object => ({ spec: { template: { spec: { containers: [fields] } } } });
const strategic = (fields: object) => kubectl('patch', 'deployment', 'web', `--patch=${JSON.stringify(fields)}`);
const addsContainer = strategic(container({ name: 'debug', image: 'registry.example.com/debug:1' }));
const addsEnvironment = strategic(container({ name: 'web', env: [{ name: 'EXTRA', value: 'by-hand' }] }));
const NAMES = '/spec/template/spec/containers/*/name';
const ENVIRONMENTS = '/spec/template/spec/containers/*/env/*/name';

describeStories('what `kubectl` adds to the objects of a stack', (story) => {
  story('a container and an environment entry are removed by default', [
    post(input('kubectl-edit-adds')),
    says('SUCCESS'),
    addsContainer,
    addsEnvironment,
    becomes('deployment/web', NAMES, ['web']),
    becomes('deployment/web', ENVIRONMENTS, [['MODE']]),
    mentions(/Deployment\/\S+\/web/, /containers/),
  ]);

  story('they are told and stay where drift is reported', [
    annotated({ 'brokkr.io/drift': 'report' }),
    post(input('kubectl-edit-adds')),
    says('SUCCESS'),
    addsEnvironment,
    addsContainer,
    mentions(/Deployment\/\S+\/web/, /containers/),
    mentions(/env/),
    looks(1),
    has('deployment/web', '/spec/template/spec/containers/1/env/*/name', ['EXTRA', 'MODE']),
    has('deployment/web', NAMES, ['debug', 'web']),
  ]);

  story('nothing is said of them where drift is ignored', [
    annotated({ 'brokkr.io/drift': 'ignore' }),
    post(input('kubectl-edit-adds')),
    says('SUCCESS'),
    addsContainer,
    looks(2),
    saysNothing,
    has('deployment/web', NAMES, ['debug', 'web']),
  ]);

  story('a key of a ConfigMap is removed by default', [
    withNamespace,
    post(objects(configMap('flags', { a: '1' }))),
    says('SUCCESS'),
    patch('configmap/flags', { data: { b: '2' } }),
    becomes('configmap/flags', '/data', { a: '1' }),
    mentions(/ConfigMap\/\S+\/flags/, /data/),
  ]);

  story('a port of a Service is removed by default', [
    withNamespace,
    post(objects(service('web', { name: 'http', port: 80 }))),
    says('SUCCESS'),
    kubectl('patch', 'service', 'web', `--patch=${JSON.stringify({ spec: { ports: [{ name: 'debug', port: 9999 }] } })}`),
    becomes('service/web', '/spec/ports/*/name', ['http']),
  ]);

  story('what the controllers add on their own is no drift', [
    post(input('kubectl-edit-adds')),
    says('SUCCESS'),
    looks(2),
    saysNothing,
    has('deployment/web', '/metadata/annotations/deployment.kubernetes.io~1revision', '1'),
  ]);
});

describeStories('an object that a stack adopts and changes at once', (story) => {
  story('a Service of `kubectl apply` whose port is another one has this port alone', [
    withNamespace,
    byHand(objects(service('web', { name: 'http', port: 80 }))),
    post(objects(service('web', { name: 'http', port: 8080 }))),
    says('SUCCESS', /adopted/),
    has('service/web', '/spec/ports/*/port', [8080]),
  ]);
});
