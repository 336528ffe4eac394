import { groupOf } from '../../cluster/cluster.ts';

export type StageName = 'definitions' | 'workloads' | 'admission';

/**
 * Prerequisites come first, and what rules over other objects before these. A kind that is not named stands at `OTHER`: its controller finds all it
 * may refer to. Webhooks come last: their servers are among the workloads.
 */
const OTHER = 'OTHER';
const ORDER: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'IngressClass',
  'LimitRange',
  'ResourceQuota',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'NetworkPolicy',
  'Service',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'DaemonSet',
  'StatefulSet',
  'Job',
  'CronJob',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'Ingress',
  OTHER,
  'APIService',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
];
const RANKS: ReadonlyMap<string, number> = new Map(ORDER.map((kind, rank) => [kind, rank]));
const OTHER_RANK = ORDER.indexOf(OTHER);
const ADMISSION_RANK = ORDER.indexOf('ValidatingWebhookConfiguration');
const POLICIES = /^(?:Validating|Mutating)AdmissionPolicy(?:Binding)?$/;
const BUILT_IN_GROUP = /^$|^[a-z]+$|\.k8s\.io$/;

/** Objects of equal rank may be applied at once. A custom kind is OTHER whatever its name. */
export function rankOf({ apiVersion, kind }: { apiVersion: string; kind: string }): number {
  return BUILT_IN_GROUP.test(groupOf(apiVersion)) ? (RANKS.get(kind) ?? OTHER_RANK) : OTHER_RANK;
}

/** Deletions go from the highest to the lowest. A policy goes before all that it might forbid to delete. */
export function removalRankOf(ref: { apiVersion: string; kind: string }): number {
  return POLICIES.test(ref.kind) && groupOf(ref.apiVersion) === 'admissionregistration.k8s.io' ? ADMISSION_RANK : rankOf(ref);
}

export function stageOf(rank: number): StageName {
  if (rank <= (RANKS.get('CustomResourceDefinition') ?? 0)) return 'definitions';
  return rank >= ADMISSION_RANK ? 'admission' : 'workloads';
}

/** The groups of `k8s.io` that the API server itself serves; all others there come by definitions, such as `gateway.networking.k8s.io`. */
const SERVED_BY_THE_API_SERVER = new Set(
  [
    'admissionregistration',
    'apiextensions',
    'apiregistration',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'flowcontrol.apiserver',
    'internal.apiserver',
    'networking',
    'node',
    'rbac.authorization',
    'resource',
    'scheduling',
    'storage',
    'storagemigration',
  ].map((group) => `${group}.k8s.io`),
);

/** Whether a kind is of a group that the API server itself serves: one that is missing there does not come any more. */
export function isOfKubernetes({ apiVersion }: { apiVersion: string }): boolean {
  const group = groupOf(apiVersion);
  return !group.includes('.') || SERVED_BY_THE_API_SERVER.has(group);
}
