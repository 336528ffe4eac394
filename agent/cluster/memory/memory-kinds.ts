import type { ResourceKind } from '../cluster.ts';

/** The kinds of a Kubernetes server without extensions that stacks are made of. `*` stands before those outside namespaces. */
const BUILT_IN: Record<string, string> = {
  v1: `ConfigMap Secret ServiceAccount Service Pod PersistentVolumeClaim Endpoints:endpoints Event LimitRange ResourceQuota:resourcequotas
    ReplicationController PodTemplate *Namespace *Node *PersistentVolume`,
  'apps/v1': 'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision',
  'batch/v1': 'Job CronJob',
  'autoscaling/v2': 'HorizontalPodAutoscaler',
  'policy/v1': 'PodDisruptionBudget',
  'networking.k8s.io/v1': 'Ingress:ingresses NetworkPolicy:networkpolicies *IngressClass:ingressclasses',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding *ClusterRole *ClusterRoleBinding',
  'scheduling.k8s.io/v1': '*PriorityClass:priorityclasses',
  'storage.k8s.io/v1': '*StorageClass:storageclasses *CSIDriver',
  'coordination.k8s.io/v1': 'Lease',
  'apiextensions.k8s.io/v1': '*CustomResourceDefinition',
  'apiregistration.k8s.io/v1': '*APIService',
  'admissionregistration.k8s.io/v1': `*ValidatingWebhookConfiguration *MutatingWebhookConfiguration
    *ValidatingAdmissionPolicy:validatingadmissionpolicies *ValidatingAdmissionPolicyBinding`,
};

export const BUILT_IN_KINDS: readonly ResourceKind[] = Object.entries(BUILT_IN).flatMap(([apiVersion, words]) =>
  words.split(/\s+/).map((word) => {
    const namespaced = !word.startsWith('*');
    const [kind = '', plural = `${kind.toLowerCase()}s`] = word.replace('*', '').split(':');
    return { apiVersion, kind, plural, namespaced };
  }),
);
