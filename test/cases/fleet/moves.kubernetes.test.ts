import { configMap } from './manifests.ts';
import {
  annotated,
  exists,
  has,
  input,
  inTheEndSays,
  isGone,
  keeping,
  looks,
  objects,
  post,
  says,
  saysNothing,
  stack,
  withdraw,
  withNamespace,
} from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const CLAIM = 'persistentvolumeclaim/orders-data';
const LABEL = '/metadata/labels/k8s.brokkr.io~1stack';
const claim = input('object-moves-between-stacks');
const takesOver = (name: string): Step => annotated(({ stackId }) => ({ 'brokkr.io/takes-over': stackId(name) }));
const belongsTo =
  (name: string): Step =>
  (story) =>
    has(CLAIM, LABEL, story.stackId(name))(story);

// Until it is told to go, or to go on without the object, the old stack may say that the object is not its own any more.
describeStories('an object that moves from one stack to another', (story) => {
  story('is refused without a word of the user; the refusal names the two ways', [
    withNamespace,
    stack('old'),
    post(claim),
    says('SUCCESS'),
    stack('new'),
    post(claim),
    says('FAILURE', /PersistentVolumeClaim\/\S+\/orders-data/, /brokkr\.io\/takes-over/, /brokkr\.io\/keep/),
    belongsTo('old'),
  ]);

  story('is handed over and lives when the old stack goes', [
    withNamespace,
    stack('old'),
    post(claim),
    says('SUCCESS'),
    keeping(
      CLAIM,
      '/metadata/uid',
      stack('new'),
      takesOver('old'),
      post(claim),
      says('SUCCESS'),
      belongsTo('new'),
      stack('old'),
      withdraw,
      inTheEndSays('SUCCESS'),
      belongsTo('new'),
    ),
    stack('new'),
    withdraw,
    says('SUCCESS'),
    has(CLAIM, '/metadata/labels', undefined),
  ]);

  story('is handed over though the old stack still has it until its next contents', [
    withNamespace,
    stack('old'),
    post(`${claim}\n---\n${objects(configMap('beside'))}`),
    says('SUCCESS'),
    keeping(
      CLAIM,
      '/metadata/uid',
      stack('new'),
      takesOver('old'),
      post(claim),
      says('SUCCESS'),
      stack('old'),
      post(objects(configMap('beside'))),
      inTheEndSays('SUCCESS'),
      looks(2),
      saysNothing,
      belongsTo('new'),
    ),
    exists('configmap/beside'),
  ]);

  story('is not taken from a third stack', [
    withNamespace,
    stack('third'),
    post(claim),
    says('SUCCESS'),
    stack('new'),
    takesOver('old'),
    post(claim),
    says('FAILURE', /orders-data/),
    belongsTo('third'),
  ]);

  story('leaves the rest of the old stack to it', [
    withNamespace,
    stack('old'),
    post(objects(configMap('moves'), configMap('stays'))),
    says('SUCCESS'),
    stack('new'),
    takesOver('old'),
    post(objects(configMap('moves'))),
    says('SUCCESS'),
    stack('old'),
    withdraw,
    inTheEndSays('SUCCESS'),
    exists('configmap/moves'),
    isGone('configmap/stays'),
  ]);

  story('outlives the old stack with `brokkr.io/keep`, and is adopted by the new one', [
    withNamespace,
    stack('old'),
    post(objects(configMap('kept', { a: '1' }, { annotations: { 'brokkr.io/keep': 'true' } }))),
    says('SUCCESS'),
    withdraw,
    says('SUCCESS'),
    stack('new'),
    keeping('configmap/kept', '/metadata/uid', post(objects(configMap('kept', { a: '2' }))), says('SUCCESS')),
    has('configmap/kept', '/data', { a: '2' }),
  ]);
});
