import type { LiveObject, ObjectRef } from '../cluster/cluster.ts';
import type { Desired } from './desired.ts';
import { objectHealth } from './object-health.ts';
import { groupOf } from './object-key.ts';

export interface Health {
  status: 'healthy' | 'progressing' | 'failed' | 'unknown';
  message?: string;
}

/** Built-in kinds whose existence is all there is to them. */
const WITHOUT_HEALTH = new Set(
  `/Namespace /ConfigMap /Secret /ServiceAccount /LimitRange /ResourceQuota /Endpoints rbac.authorization.k8s.io/Role
   rbac.authorization.k8s.io/RoleBinding rbac.authorization.k8s.io/ClusterRole rbac.authorization.k8s.io/ClusterRoleBinding
   networking.k8s.io/NetworkPolicy networking.k8s.io/IngressClass scheduling.k8s.io/PriorityClass storage.k8s.io/StorageClass batch/CronJob
   admissionregistration.k8s.io/ValidatingWebhookConfiguration admissionregistration.k8s.io/MutatingWebhookConfiguration
   admissionregistration.k8s.io/ValidatingAdmissionPolicy admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding`.split(/\s+/),
);
/** Kinds of which nothing known is not good enough. */
const JUDGED = new Set(['/Pod', 'apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/Job', '/PersistentVolumeClaim']);

const kindOf = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): string => `${groupOf(apiVersion)}/${kind}`;

export const hasHealth = (ref: ObjectRef): boolean => !WITHOUT_HEALTH.has(kindOf(ref));

/** Where nothing is known of an object, it holds up nobody, unless its kind always tells. */
export function healthOf({ ref }: Pick<Desired, 'ref'>, live: LiveObject | undefined): Health {
  if (!hasHealth(ref)) return { status: 'healthy' };
  if (!live) return { status: 'progressing', message: 'not found' };
  if (live.metadata.deletionTimestamp) return { status: 'progressing', message: 'is being deleted' };
  const health = objectHealth({ ...live, apiVersion: ref.apiVersion, kind: ref.kind });
  return health.status === 'unknown' && JUDGED.has(kindOf(ref)) ? { ...health, status: 'progressing' } : health;
}
