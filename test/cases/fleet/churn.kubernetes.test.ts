import { configMap, namespace, object } from './manifests.ts';
import { alwaysSays, attemptsInAll, exists, has, input, inTheEndSays, keeping, objects, post, says } from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const invalidPolicy = object('networking.k8s.io/v1', 'NetworkPolicy', 'web', {
  spec: { podSelector: {}, ingress: [{ ports: [{ port: 99_999 }] }] },
});

const isNotLeaving: Step = async (story) => {
  await exists('namespace/NAMESPACE')(story);
  await has('namespace/NAMESPACE', '/metadata/deletionTimestamp', undefined)(story);
};

describeStories('a stack that can not succeed leaves its Namespace alone', (story) => {
  story('its Namespace is made once, and each event gives the true cause', [
    post(input('failing-stack-with-its-namespace')),
    says('FAILURE', /Service\/\S+\/Not_A_Name/, /metadata\.name|lowercase|DNS/),
    isNotLeaving,
    keeping('namespace/NAMESPACE', '/metadata/uid', attemptsInAll('apply', 2)),
    isNotLeaving,
    alwaysSays('FAILURE', /Not_A_Name/),
  ]);

  story('so it is with another kind, and the fix is applied in the same Namespace', [
    post(objects(namespace, configMap('fine'), invalidPolicy)),
    says('FAILURE', /NetworkPolicy\/\S+\/web/, /port/),
    keeping(
      'namespace/NAMESPACE',
      '/metadata/uid',
      attemptsInAll('apply', 2),
      alwaysSays('FAILURE', /NetworkPolicy/),
      post(objects(namespace, configMap('fine'))),
      inTheEndSays('SUCCESS'),
    ),
  ]);
});
