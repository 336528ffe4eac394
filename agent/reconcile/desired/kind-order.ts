import { groupOf } from '../../cluster/cluster.ts';

export type StageName = 'definitions' | 'workloads' | 'admission';

/** Prerequisites come first. A kind that is not named stands at `OTHER`: its controller finds all it may refer to. */
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
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
];
const RANKS: ReadonlyMap<string, number> = new Map(ORDER.map((kind, rank) => [kind, rank]));
const OTHER_RANK = ORDER.indexOf(OTHER);
const ADMISSION_RANK = ORDER.indexOf('ValidatingAdmissionPolicy');
const BUILT_IN_GROUP = /^$|^[a-z]+$|\.k8s\.io$/;

/** Objects of equal rank may be applied at once. A custom kind is OTHER whatever its name. */
export function rankOf({ apiVersion, kind }: { apiVersion: string; kind: string }): number {
  return BUILT_IN_GROUP.test(groupOf(apiVersion)) ? (RANKS.get(kind) ?? OTHER_RANK) : OTHER_RANK;
}

export function stageOf(rank: number): StageName {
  if (rank <= (RANKS.get('CustomResourceDefinition') ?? 0)) return 'definitions';
  return rank >= ADMISSION_RANK ? 'admission' : 'workloads';
}
