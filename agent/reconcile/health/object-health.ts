import type { LiveObject } from '../../cluster/cluster.ts';
import {
  conditionOf,
  conditionsOf,
  failed,
  fields,
  healthy,
  items,
  type ObjectHealth,
  progressing,
  specOf,
  statusOf,
  text,
  unobserved,
  wordsOf,
} from './object-health-fields.ts';
import {
  cronJobHealth,
  daemonSetHealth,
  deploymentHealth,
  jobHealth,
  podHealth,
  replicaSetHealth,
  statefulSetHealth,
} from './object-health-workloads.ts';

export type { HealthStatus, ObjectHealth } from './object-health-fields.ts';

/** Facts that the object itself doesn't tell. */
export interface HealthContext {
  /** The `volumeBindingMode` of a claim's StorageClass, if it is known. */
  volumeBindingMode?: string | undefined;
  /** False if every change of the object moves its generation, also those of its status: then nobody can have seen the latest. */
  hasStatus?: boolean;
}

/**
 * How an object is doing, from the object alone, much like kstatus.
 * https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
 */
export function objectHealth(live: LiveObject, context: HealthContext = {}): ObjectHealth {
  if (live.metadata.deletionTimestamp !== undefined) return progressing('it is being deleted');
  if (!kindHasHealth(live.apiVersion, live.kind)) return healthy();
  return (HEALTH[groupKind(live.apiVersion, live.kind)] ?? customHealth)(live, context);
}

/** Whether there is anything to wait for once an object is applied. If there isn't, nobody needs to read it. */
export function kindHasHealth(apiVersion: string, kind: string): boolean {
  const key = groupKind(apiVersion, kind);
  return !(AT_ONCE_GROUPS.has(key.slice(0, key.indexOf('/'))) || AT_ONCE_KINDS.has(key));
}

/** A kind's health is the same in all its versions. */
const groupKind = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}`;

/** Groups and kinds that work as soon as they are stored, or never say whether they do. */
const AT_ONCE_GROUPS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);
const AT_ONCE_KINDS: ReadonlySet<string> = new Set([
  '/ConfigMap',
  '/Endpoints',
  '/Event',
  '/LimitRange',
  '/PodTemplate',
  '/ResourceQuota',
  '/Secret',
  '/ServiceAccount',
  'apps/ControllerRevision',
]);

const HEALTH: Readonly<Record<string, (live: LiveObject, context: HealthContext) => ObjectHealth>> = {
  '/Namespace': (live) => (statusOf(live).phase === 'Terminating' ? progressing('it is being deleted') : healthy()),
  '/PersistentVolume': (live) =>
    statusOf(live).phase === 'Failed' ? failed(text(statusOf(live).message) || 'it could not be reclaimed') : healthy(),
  '/PersistentVolumeClaim': claimHealth,
  '/Pod': podHealth,
  '/ReplicationController': replicaSetHealth,
  '/Service': serviceHealth,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
  'apiregistration.k8s.io/APIService': (live) => unlessTrue(live, 'Available', 'its server has not been asked yet'),
  'apps/DaemonSet': daemonSetHealth,
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'autoscaling/HorizontalPodAutoscaler': autoscalerHealth,
  'batch/CronJob': cronJobHealth,
  'batch/Job': jobHealth,
  'policy/PodDisruptionBudget': budgetHealth,
};

/**
 * A claim of a class that waits for the first consumer stays pending until a pod uses it, which may be never: that is no fault
 * of the claim, and if there is such a pod, the pod has a health of its own. Without knowing the class it can only be waited for.
 */
function claimHealth(live: LiveObject, { volumeBindingMode }: HealthContext): ObjectHealth {
  const { phase } = statusOf(live);
  if (phase === 'Bound') return healthy();
  if (phase === 'Lost') return failed('its volume is gone');
  const hasConsumer = live.metadata.annotations?.['volume.kubernetes.io/selected-node'] !== undefined;
  if (volumeBindingMode === 'WaitForFirstConsumer' && !hasConsumer) return healthy('it is bound when the first pod uses it');
  if (volumeBindingMode === undefined && !hasConsumer)
    return progressing('it is not bound yet; some storage classes wait for the first pod that uses it');
  return progressing('it is not bound yet');
}

function serviceHealth(live: LiveObject): ObjectHealth {
  if (specOf(live).type !== 'LoadBalancer') return healthy();
  const { ingress } = fields(statusOf(live).loadBalancer);
  return items(ingress).length > 0 ? healthy() : progressing('it has no load balancer yet');
}

function definitionHealth(live: LiveObject): ObjectHealth {
  const names = conditionOf(live, 'NamesAccepted');
  // Another definition has these names, and gives them up only when it is deleted.
  if (names?.status === 'False') return failed(wordsOf(names));
  return unlessTrue(live, 'Established', 'it is not established yet');
}

function unlessTrue(live: LiveObject, type: string, otherwise: string): ObjectHealth {
  const condition = conditionOf(live, type);
  if (condition?.status === 'True') return healthy();
  return progressing(condition ? wordsOf(condition) : otherwise);
}

/** Scaling to zero switches it off, which is what was asked for. */
function autoscalerHealth(live: LiveObject): ObjectHealth {
  const [able, active] = [conditionOf(live, 'AbleToScale'), conditionOf(live, 'ScalingActive')];
  if (able?.status === 'False') return progressing(wordsOf(able));
  if (active?.status === 'False' && active.reason !== 'ScalingDisabled') return progressing(wordsOf(active));
  return able || active ? healthy() : progressing('it has not looked at its target yet');
}

/** A budget guards pods; whether there are enough of them is their own health, or it would be counted twice. */
function budgetHealth(live: LiveObject): ObjectHealth {
  const unseen = unobserved(live);
  if (unseen) return unseen;
  const allowed = conditionOf(live, 'DisruptionAllowed');
  return allowed?.reason === 'SyncFailed' ? progressing(wordsOf(allowed)) : healthy();
}

/** Custom resources, by the conventions most controllers keep. One that says nothing at all is taken as it is. */
function customHealth(live: LiveObject, { hasStatus = true }: HealthContext): ObjectHealth {
  const { observedGeneration } = statusOf(live);
  const unseen = observedGeneration === undefined || !hasStatus ? undefined : unobserved(live);
  if (unseen) return unseen;
  const conditions = conditionsOf(live);
  const isTrue = (type: string) => conditions.find((condition) => condition.type === type && condition.status === 'True');
  const stalled = isTrue('Stalled');
  if (stalled) return failed(wordsOf(stalled));
  const reconciling = isTrue('Reconciling');
  if (reconciling) return progressing(wordsOf(reconciling));
  const telling = ['Ready', 'Available', 'Succeeded'].flatMap((type) => conditions.filter((condition) => condition.type === type))[0];
  if (!telling) return healthy();
  const generation = live.metadata.generation ?? 0;
  if (hasStatus && (telling.observedGeneration ?? generation) < generation)
    return progressing('its controller has not seen this change yet');
  if (telling.status === 'True') return healthy();
  return telling.type === 'Succeeded' && telling.status === 'False' ? failed(wordsOf(telling)) : progressing(wordsOf(telling));
}
