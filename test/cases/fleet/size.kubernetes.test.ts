import { bundleOfAnOperator, mapOfLines } from './large-inputs.ts';
import { configMap } from './manifests.ts';
import { exists, has, isGone, objects, post, says, withdraw, withNamespace } from './steps.ts';
import { describeStories } from './stories.ts';

describeStories('large stacks', (story) => {
  story(
    "an operator's bundle of 1.8 MB is taken, and goes again",
    [
      withNamespace,
      post(bundleOfAnOperator()),
      says('SUCCESS', /12 created/),
      exists('customresourcedefinition/things11.big.NAMESPACE.example.com'),
      withdraw,
      says('SUCCESS', /12 deleted/),
      isGone('customresourcedefinition/things11.big.NAMESPACE.example.com'),
    ],
    { massDeletion: 'allow' },
  );

  story('1,200 small documents are taken', [
    withNamespace,
    post(objects(...Array.from({ length: 1_200 }, (_, n) => configMap(`small-${n}`)))),
    says('SUCCESS', /1200 created/),
    exists('configmap/small-1199'),
  ]);

  story('a ConfigMap of 700 KB is taken', [
    withNamespace,
    post(mapOfLines(7_000)),
    says('SUCCESS', /1 created/),
    exists('configmap/dashboard'),
    post(mapOfLines(6_000)),
    says('SUCCESS'),
  ]);

  story('a ConfigMap that is too large for the API server is refused with the reason, and without its value', [
    withNamespace,
    post(mapOfLines(11_000)),
    says('FAILURE', /ConfigMap\/\S+\/dashboard/, /[Tt]oo long|too large|1048576/, /^(?!.*xxxxx)/s),
    has('configmap/dashboard', '/data', undefined),
  ]);
});
