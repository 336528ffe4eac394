import { clusterWide, configMap, object, service } from './manifests.ts';
import { awaitRefusal, byHand, exists, has, input, isGone, kubectl, objects, post, says, stack, withdraw, withNamespace } from './steps.ts';
import { describeStories, type Step, type Tell } from './stories.ts';

const AGENT = 'NAMESPACE-agent';
const withAgentNamespace: Step = kubectl('create', 'namespace', AGENT);
const inAgentNamespace = (manifest: object): string => objects(manifest).replace('"NAMESPACE"', `"${AGENT}"`);
const noConfigMapOfAgents = awaitRefusal(inAgentNamespace(configMap('probe')), AGENT);
const BOTH = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['NAMESPACE', AGENT] }] };

/** Its server is not there. */
const webhook = (failurePolicy: string, apiGroups: string[], resources: string[]): object =>
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'NAMESPACE-policy', {
    webhooks: [
      {
        name: 'all.policy.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy,
        timeoutSeconds: 2,
        namespaceSelector: BOTH,
        clientConfig: { service: { namespace: 'NAMESPACE', name: 'policy' } },
        rules: [{ apiGroups, apiVersions: ['*'], operations: ['*'], resources, scope: 'Namespaced' }],
      },
    ],
  });
const noConfigMaps = [
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', 'NAMESPACE-none', {
    spec: {
      matchConstraints: {
        namespaceSelector: BOTH,
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      },
      validations: [{ expression: 'false', message: 'no ConfigMaps here' }],
    },
  }),
  clusterWide('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', 'NAMESPACE-none', {
    spec: { policyName: 'NAMESPACE-none', validationActions: ['Deny'] },
  }),
];
const quota = (count: string): object => object('v1', 'ResourceQuota', 'records', { spec: { hard: { 'count/configmaps': count } } });

const HOME = { inventoryNamespace: AGENT };
const webhookConfiguration = 'validatingwebhookconfiguration/NAMESPACE-policy';

describeStories('what stands in the way of ConfigMaps does not lock the agent out', (tell) => {
  const story: Tell = (title, steps) =>
    tell(title, [withAgentNamespace, ...steps, kubectl('delete', 'namespace', AGENT, '--wait=false')], HOME);

  story('a webhook whose server is away is repaired by its own stack, and removed with it', [
    post(input('webhook-locks-the-agent-out.1')),
    says('SUCCESS'),
    noConfigMapOfAgents,
    post(input('webhook-locks-the-agent-out.2')),
    says('SUCCESS'),
    has(webhookConfiguration, '/webhooks/0/failurePolicy', 'Ignore'),
    withdraw,
    says('SUCCESS'),
    isGone(webhookConfiguration, 'service/policy'),
  ]);

  story('it is removed while it is still broken', [
    withNamespace,
    post(objects(webhook('Fail', [''], ['configmaps', 'secrets']))),
    says('SUCCESS'),
    noConfigMapOfAgents,
    withdraw,
    says('SUCCESS'),
    isGone(webhookConfiguration),
  ]);

  story('a webhook on all kinds in namespaces is repaired, too', [
    withNamespace,
    post(objects(webhook('Fail', ['*'], ['*']))),
    says('SUCCESS'),
    noConfigMapOfAgents,
    post(objects(webhook('Ignore', ['*'], ['*']))),
    says('SUCCESS'),
    has(webhookConfiguration, '/webhooks/0/failurePolicy', 'Ignore'),
  ]);

  story("other stacks of the agent change and go while another team's webhook on ConfigMaps is broken", [
    withNamespace,
    post(objects(service('web', { port: 80 }))),
    says('SUCCESS'),
    byHand(objects(webhook('Fail', [''], ['configmaps']))),
    noConfigMapOfAgents,
    post(objects(service('web', { port: 81 }), service('more', { port: 80 }))),
    says('SUCCESS'),
    stack('new'),
    post(objects(service('third', { port: 80 }))),
    says('SUCCESS'),
    stack(''),
    withdraw,
    says('SUCCESS'),
    isGone('service/web', 'service/more'),
    exists('service/third'),
  ]);

  story('an admission policy against all ConfigMaps blocks no stack without ConfigMaps', [
    withNamespace,
    byHand(objects(...noConfigMaps)),
    noConfigMapOfAgents,
    post(objects(service('web', { port: 80 }))),
    says('SUCCESS'),
    withdraw,
    says('SUCCESS'),
    isGone('service/web'),
    kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', 'NAMESPACE-none'),
  ]);

  story("a quota of ConfigMaps in the agent's own namespace blocks no new stack, and is raised by the stack that set it", [
    withNamespace,
    post(inAgentNamespace(quota('0'))),
    says('SUCCESS'),
    noConfigMapOfAgents,
    stack('new'),
    post(objects(service('new', { port: 80 }))),
    says('SUCCESS'),
    stack(''),
    post(`${inAgentNamespace(quota('10'))}\n---\n${objects(service('web', { port: 80 }))}`),
    says('SUCCESS'),
    exists('service/web', 'service/new'),
  ]);
});
