import type { LiveObject } from '../cluster.ts';

type Status = Record<string, unknown>;

/** The status that the controllers of a cluster with unlimited nodes would write, at once. Undefined for kinds without a status. */
export function settledStatus(object: LiveObject, now: string): Status | undefined {
  const { generation } = object.metadata;
  const replicas = numberAt(object.spec, 'replicas') ?? 1;
  const condition = (type: string, reason: string) => ({ type, status: 'True', reason, lastTransitionTime: now });
  switch (object.kind) {
    case 'Namespace':
      return { phase: 'Active' };
    case 'CustomResourceDefinition':
      return { conditions: [condition('NamesAccepted', 'NoConflicts'), condition('Established', 'InitialNamesAccepted')] };
    case 'Deployment':
      return {
        observedGeneration: generation,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        conditions: [condition('Available', 'MinimumReplicasAvailable'), condition('Progressing', 'NewReplicaSetAvailable')],
      };
    case 'ReplicaSet':
      return {
        observedGeneration: generation,
        replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        fullyLabeledReplicas: replicas,
      };
    case 'StatefulSet':
      return {
        observedGeneration: generation,
        replicas,
        currentReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        updatedReplicas: replicas,
        currentRevision: 'r1',
        updateRevision: 'r1',
      };
    case 'DaemonSet':
      return {
        observedGeneration: generation,
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        updatedNumberScheduled: 1,
        numberReady: 1,
        numberAvailable: 1,
        numberMisscheduled: 0,
      };
    case 'Job':
      return {
        succeeded: 1,
        startTime: now,
        completionTime: now,
        conditions: [condition('SuccessCriteriaMet', 'CompletionsReached'), condition('Complete', 'CompletionsReached')],
      };
    case 'Pod':
      return { phase: 'Running', startTime: now, conditions: [condition('Ready', 'ContainersReady')] };
    case 'PersistentVolumeClaim':
      return { phase: 'Bound' };
    case 'Service':
      return { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    default:
      return undefined;
  }
}

function numberAt(value: unknown, name: string): number | undefined {
  const found =
    typeof value === 'object' && value !== null && name in value ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
  return typeof found === 'number' ? found : undefined;
}
