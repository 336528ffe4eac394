import { join } from 'node:path';
import { base64, configMap, object, secret, service } from './manifests.ts';
import {
  annotated,
  byHand,
  define,
  exists,
  has,
  input,
  isGone,
  keeping,
  kubectl,
  looks,
  objects,
  post,
  postMarker,
  says,
  saysNothing,
  withdraw,
  withNamespace,
} from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const CHART = join(import.meta.dirname, 'fixtures', 'chart');

const helmInstall: Step = async ({ helm }) => void (await helm(['install', 'shop', CHART]));
/** As `helm template` prints it. The chart's Service has the port 80. */
const release = (data: object, port = 80): string => objects(configMap('shop', data), service('shop', { name: 'http', port }));
const mail = (fields: object): string => objects(secret('mail', fields));

describeStories('what was there before a stack came', (story) => {
  story('a Namespace with a Secret and a claim stays when the stack goes', [
    byHand(input('namespace-was-there-before.0')),
    post(input('namespace-was-there-before.1')),
    says('SUCCESS', /1 adopted/, /1 created/, /Namespace\/\S+/),
    postMarker,
    says('SUCCESS', /1 released/),
    exists('secret/ledger-key', 'persistentvolumeclaim/ledger'),
    isGone('configmap/addon'),
    has('namespace/NAMESPACE', '/metadata/labels/brokkr.io~1owner-id', undefined),
  ]);

  story('a definition with objects of others stays when the stack goes', [
    withNamespace,
    define(input('first-object-of-a-new-kind.0')),
    byHand(input('first-object-of-a-new-kind.1')),
    post(input('first-object-of-a-new-kind.0')),
    says('SUCCESS', /1 adopted/),
    keeping('buckets.store.NAMESPACE.example.com/invoices', '/metadata/uid', withdraw, says('SUCCESS', /1 released/)),
  ]);

  story("another team's ConfigMap is adopted with a word, and stays when the stack goes", [
    withNamespace,
    byHand(input('takes-over-a-strangers-object.0')),
    post(input('takes-over-a-strangers-object.1')),
    says('SUCCESS', /adopted/, /ConfigMap\/\S+\/regions/),
    withdraw,
    says('SUCCESS', /1 released/),
    has('configmap/regions', '/data', { primary: 'ap-2', secondary: 'us-1' }),
  ]);

  story("another team's ConfigMap goes with the stack where the user hands it over", [
    withNamespace,
    byHand(input('takes-over-a-strangers-object.0')),
    annotated({ 'brokkr.io/adopt': 'own' }),
    post(input('takes-over-a-strangers-object.1')),
    says('SUCCESS'),
    withdraw,
    says('SUCCESS', /1 deleted/),
    isGone('configmap/regions'),
  ]);

  story("another team's ServiceAccount is refused where the user adopts nothing", [
    withNamespace,
    kubectl('create', 'serviceaccount', 'builder'),
    annotated({ 'brokkr.io/adopt': 'never' }),
    post(objects(object('v1', 'ServiceAccount', 'builder'))),
    says('FAILURE', /ServiceAccount\/\S+\/builder/, /brokkr\.io\/adopt/),
    has('serviceaccount/builder', '/metadata/labels', undefined),
  ]);

  story('a key that leaves the stack goes, though `kubectl apply` had made it', [
    withNamespace,
    byHand(input('adopted-key-removed.1')),
    post(input('adopted-key-removed.2')),
    says('SUCCESS', /adopted/),
    post(input('adopted-key-removed.3')),
    says('SUCCESS'),
    has('configmap/settings', '/data', { level: 'info' }),
    looks(1),
    saysNothing,
  ]);

  story('a Service of `kubectl apply` whose port changes has the new port alone', [
    withNamespace,
    byHand(objects(service('web', { name: 'http', port: 80 }, { name: 'metrics', port: 9090 }))),
    post(objects(service('web', { name: 'http', port: 80 }, { name: 'metrics', port: 9090 }))),
    says('SUCCESS', /adopted/),
    post(objects(service('web', { name: 'http', port: 8080 }))),
    says('SUCCESS'),
    has('service/web', '/spec/ports/*/port', [8080]),
  ]);

  story('a Helm release that is taken over loses what leaves the stack', [
    withNamespace,
    helmInstall,
    has('configmap/shop', '/data', { level: 'info', legacy: 'yes' }),
    post(release({ level: 'info', legacy: 'yes' })),
    says('SUCCESS', /2 adopted/),
    post(release({ level: 'info' }, 8080)),
    says('SUCCESS'),
    has('configmap/shop', '/data', { level: 'info' }),
    has('service/shop', '/spec/ports/*/port', [8080]),
    has('service/shop', '/metadata/labels/app.kubernetes.io~1managed-by', 'Helm'),
  ]);
});

describeStories('what leaves a Secret', (story) => {
  story('a key that leaves `stringData` is gone', [
    post(input('secret-stringdata.1')),
    says('SUCCESS'),
    post(input('secret-stringdata.2')),
    says('SUCCESS'),
    has('secret/mail', '/data', { user: base64('postmaster') }),
  ]);

  story('a key that moves from `data` to `stringData`, and another that leaves, are right', [
    withNamespace,
    post(mail({ data: { user: base64('old'), token: base64('old') }, stringData: { extra: 'x' } })),
    says('SUCCESS'),
    post(mail({ stringData: { user: 'new' } })),
    says('SUCCESS'),
    has('secret/mail', '/data', { user: base64('new') }),
  ]);

  story('a key of a Secret that `kubectl apply` made from `stringData` is gone, too', [
    withNamespace,
    byHand(mail({ stringData: { user: 'postmaster', 'old-token': 'revoke-me' } })),
    post(mail({ stringData: { user: 'postmaster', 'old-token': 'revoke-me' } })),
    says('SUCCESS', /adopted/),
    post(mail({ stringData: { user: 'postmaster' } })),
    says('SUCCESS'),
    has('secret/mail', '/data', { user: base64('postmaster') }),
  ]);
});
