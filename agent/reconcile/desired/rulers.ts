import { groupOf, type ObjectRef } from '../../cluster/cluster.ts';
import type { Desired } from './desired.ts';
import { isOfKubernetes } from './kind-order.ts';

/** The kinds by which the API server decides whether it takes other objects: in their own namespace, or everywhere. */
const IN_NAMESPACE = new Set(['ResourceQuota', 'LimitRange', 'ServiceAccount', 'Role', 'RoleBinding']);
const EVERYWHERE = new Set([
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'IngressClass',
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);
const WEBHOOKS = new Set(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']);
/** Kyverno and Gatekeeper: their kinds rule as admission policies do. */
const POLICY_GROUPS = /(?:^|\.)(?:kyverno\.io|gatekeeper\.sh)$/;

/** Whether the API server may take `object` only after `ruler` is as the stack wants it. */
export function rulesOver({ ref: ruler }: Desired, { ref: object }: Desired): boolean {
  if (POLICY_GROUPS.test(groupOf(ruler.apiVersion))) return !POLICY_GROUPS.test(groupOf(object.apiVersion));
  if (!isOfKubernetes(ruler) || isSame(ruler, object)) return false;
  if (ruler.kind === 'Namespace') return ruler.name === object.namespace;
  return EVERYWHERE.has(ruler.kind) || (IN_NAMESPACE.has(ruler.kind) && ruler.namespace === object.namespace);
}

/** They are applied last, since their servers are among the workloads; what they refuse is tried once more after that. */
export const isWebhook = ({ ref }: Desired): boolean => isOfKubernetes(ref) && WEBHOOKS.has(ref.kind);

const isSame = (a: ObjectRef, b: ObjectRef): boolean => a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
