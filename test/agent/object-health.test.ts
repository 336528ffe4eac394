import { describe, expect, test } from '@jest/globals';
import type { LiveObject } from '../../agent/cluster/cluster.ts';
import { type HealthContext, type HealthStatus, hasHealth, objectHealth } from '../../agent/reconcile/object-health.ts';

interface Parts {
  metadata?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}
type Row = [promise: string, parts: Parts, status: HealthStatus, message?: string, context?: HealthContext];

const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });
const waiting = (reason: string, message?: string) => [{ name: 'web', state: { waiting: { reason, message } } }];

function object(apiVersion: string, kind: string, { metadata, ...parts }: Parts): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'one', namespace: 'shop', uid: 'u', resourceVersion: '7', generation: 2, ...metadata },
    ...parts,
  };
}

function kind(apiVersion: string, name: string, rows: Row[]): void {
  describe(name, () => {
    // One argument each: what a row lacks would be filled in with jest's own callback.
    test.each(rows.map((row) => ({ promise: row[0], row })))('$promise', ({ row: [, parts, status, message, context] }) => {
      expect(objectHealth(object(apiVersion, name, parts), context)).toEqual({ status, ...(message !== undefined && { message }) });
    });
  });
}

const seen = { observedGeneration: 2 };
const UNSEEN = 'its controller has not seen this change yet';

kind('apps/v1', 'Deployment', [
  ['without any status it has not been seen', {}, 'progressing', UNSEEN],
  [
    'a status of an earlier generation does not count',
    { status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 } },
    'progressing',
    UNSEEN,
  ],
  [
    'all replicas updated and available',
    { spec: { replicas: 2 }, status: { ...seen, replicas: 2, updatedReplicas: 2, availableReplicas: 2 } },
    'healthy',
  ],
  ['one replica is meant where none are named', { spec: {}, status: { ...seen } }, 'progressing', '0 of 1 replicas updated'],
  ['scaled to zero', { spec: { replicas: 0 }, status: { ...seen } }, 'healthy'],
  [
    'some are not updated',
    { spec: { replicas: 3 }, status: { ...seen, replicas: 3, updatedReplicas: 1, availableReplicas: 3 } },
    'progressing',
    '1 of 3 replicas updated',
  ],
  [
    'some are not available',
    { spec: { replicas: 3 }, status: { ...seen, replicas: 3, updatedReplicas: 3, availableReplicas: 2 } },
    'progressing',
    '2 of 3 replicas available',
  ],
  [
    'old ones are still there',
    { spec: { replicas: 1 }, status: { ...seen, replicas: 2, updatedReplicas: 1, availableReplicas: 2 } },
    'progressing',
    '1 old replicas have not gone yet',
  ],
  [
    'its deadline has passed',
    {
      spec: { replicas: 1 },
      status: {
        ...seen,
        conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "one-1" has timed out progressing.')],
      },
    },
    'failed',
    'ReplicaSet "one-1" has timed out progressing.',
  ],
  [
    'a deadline of the previous version does not fail the next',
    { status: { observedGeneration: 1, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] } },
    'progressing',
    UNSEEN,
  ],
  [
    'why its pods cannot be created is told',
    {
      spec: { replicas: 1 },
      status: { ...seen, conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: small')] },
    },
    'progressing',
    '0 of 1 replicas updated: exceeded quota: small',
  ],
  [
    'a paused one has nothing to wait for',
    { spec: { paused: true, replicas: 2 }, status: { ...seen, replicas: 2, updatedReplicas: 0 } },
    'healthy',
    'paused',
  ],
  [
    'one that is being deleted is not there to stay',
    { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    'progressing',
    'it is being deleted',
  ],
]);

const oneRevision = { currentRevision: 'a', updateRevision: 'a' };
kind('apps/v1', 'StatefulSet', [
  ['not seen', { spec: { replicas: 1 } }, 'progressing', UNSEEN],
  [
    'all ready',
    { spec: { replicas: 2 }, status: { ...seen, ...oneRevision, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 } },
    'healthy',
  ],
  [
    'not all ready',
    { spec: { replicas: 2 }, status: { ...seen, ...oneRevision, replicas: 2, readyReplicas: 1 } },
    'progressing',
    '1 of 2 replicas ready',
  ],
  [
    'ready too short a time',
    { spec: { replicas: 2 }, status: { ...seen, ...oneRevision, replicas: 2, readyReplicas: 2, availableReplicas: 1 } },
    'progressing',
    '1 of 2 replicas available',
  ],
  [
    'being updated',
    {
      spec: { replicas: 2 },
      status: { ...seen, currentRevision: 'a', updateRevision: 'b', replicas: 2, readyReplicas: 2, updatedReplicas: 1 },
    },
    'progressing',
    '1 of 2 replicas updated',
  ],
  [
    'the last step of an update',
    {
      spec: { replicas: 2 },
      status: { ...seen, currentRevision: 'a', updateRevision: 'b', replicas: 2, readyReplicas: 2, updatedReplicas: 2 },
    },
    'progressing',
    'its new revision is not complete yet',
  ],
  [
    'updated down to its partition',
    {
      spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
      status: { ...seen, currentRevision: 'a', updateRevision: 'b', replicas: 3, readyReplicas: 3, updatedReplicas: 1 },
    },
    'healthy',
    'updated down to partition 2',
  ],
  [
    'not yet updated down to its partition',
    {
      spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
      status: { ...seen, replicas: 3, readyReplicas: 3, updatedReplicas: 1 },
    },
    'progressing',
    '1 of 2 replicas updated',
  ],
  [
    'updated by deleting its pods',
    {
      spec: { replicas: 1, updateStrategy: { type: 'OnDelete' } },
      status: { ...seen, currentRevision: 'a', updateRevision: 'b', replicas: 1, readyReplicas: 1 },
    },
    'healthy',
    'updates when its pods are deleted',
  ],
  [
    'scaled down',
    { spec: { replicas: 1 }, status: { ...seen, ...oneRevision, replicas: 2, readyReplicas: 2, availableReplicas: 2 } },
    'progressing',
    '1 replicas too many',
  ],
]);

kind('apps/v1', 'DaemonSet', [
  ['not seen', {}, 'progressing', UNSEEN],
  ['no node wants it', { status: { ...seen, desiredNumberScheduled: 0 } }, 'healthy'],
  [
    'on every node',
    { status: { ...seen, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 } },
    'healthy',
  ],
  [
    'not on every node',
    { status: { ...seen, desiredNumberScheduled: 2, currentNumberScheduled: 1 } },
    'progressing',
    '1 of 2 pods scheduled',
  ],
  [
    'not updated everywhere',
    { status: { ...seen, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 } },
    'progressing',
    '1 of 2 pods updated',
  ],
  [
    'not available everywhere',
    { status: { ...seen, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2 } },
    'progressing',
    '0 of 2 pods available',
  ],
  [
    'updated by deleting its pods',
    {
      spec: { updateStrategy: { type: 'OnDelete' } },
      status: { ...seen, desiredNumberScheduled: 1, currentNumberScheduled: 1, numberAvailable: 1 },
    },
    'healthy',
  ],
]);

kind('apps/v1', 'ReplicaSet', [
  ['not seen', {}, 'progressing', UNSEEN],
  ['all available', { spec: { replicas: 1 }, status: { ...seen, replicas: 1, availableReplicas: 1 } }, 'healthy'],
  [
    'none created',
    { spec: { replicas: 1 }, status: { ...seen, conditions: [condition('ReplicaFailure', 'True', 'FailedCreate')] } },
    'progressing',
    '0 of 1 replicas created: FailedCreate',
  ],
  ['too many', { spec: { replicas: 1 }, status: { ...seen, replicas: 3, availableReplicas: 3 } }, 'progressing', '2 replicas too many'],
]);

kind('batch/v1', 'Job', [
  ['just created', {}, 'progressing', '0 active, 0 succeeded, 0 failed'],
  ['running', { status: { active: 1, failed: 2 } }, 'progressing', '1 active, 0 succeeded, 2 failed'],
  ['complete', { status: { conditions: [condition('SuccessCriteriaMet', 'True'), condition('Complete', 'True')] } }, 'healthy'],
  [
    'failed',
    { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit')] } },
    'failed',
    'Job has reached the specified backoff limit',
  ],
  [
    'about to be declared failed',
    { status: { conditions: [condition('FailureTarget', 'True', 'DeadlineExceeded')] } },
    'failed',
    'DeadlineExceeded',
  ],
  [
    'a condition that is not true says nothing',
    { status: { active: 1, conditions: [condition('Failed', 'False')] } },
    'progressing',
    '1 active, 0 succeeded, 0 failed',
  ],
  ['a suspended one would be waited for in vain', { spec: { suspend: true } }, 'healthy', 'suspended'],
]);

kind('batch/v1', 'CronJob', [
  ['works by its schedule', { spec: {} }, 'healthy'],
  ['suspended', { spec: { suspend: true } }, 'healthy', 'suspended'],
]);

kind('v1', 'Pod', [
  ['just created', {}, 'progressing', 'it has not been scheduled yet'],
  ['running and ready', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }, 'healthy'],
  [
    'running and not ready',
    {
      status: {
        phase: 'Running',
        conditions: [condition('Ready', 'False', 'ContainersNotReady', 'containers with unready status: [web]')],
      },
    },
    'progressing',
    'containers with unready status: [web]',
  ],
  ['done', { status: { phase: 'Succeeded' } }, 'healthy'],
  [
    'evicted',
    { status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' } },
    'failed',
    'Evicted: The node was low on memory.',
  ],
  [
    'a container ended badly',
    { status: { phase: 'Failed', containerStatuses: [{ name: 'web', state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }] } },
    'failed',
    'container web: OOMKilled (exit code 137)',
  ],
  [
    'no node takes it',
    { status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available')] } },
    'progressing',
    '0/3 nodes are available',
  ],
  [
    'crashing again and again',
    { status: { phase: 'Running', containerStatuses: waiting('CrashLoopBackOff', 'back-off 10s') } },
    'failed',
    'container web: CrashLoopBackOff: back-off 10s',
  ],
  [
    'so does an init container',
    { status: { phase: 'Pending', initContainerStatuses: waiting('CrashLoopBackOff') } },
    'failed',
    'container web: CrashLoopBackOff',
  ],
  [
    'its image cannot be pulled',
    { status: { phase: 'Pending', containerStatuses: waiting('ImagePullBackOff') } },
    'failed',
    'container web: ImagePullBackOff',
  ],
  [
    'its image has no valid name',
    { status: { phase: 'Pending', containerStatuses: waiting('InvalidImageName') } },
    'failed',
    'container web: InvalidImageName',
  ],
  [
    'the first failed pull may be the last',
    { status: { phase: 'Pending', containerStatuses: waiting('ErrImagePull') } },
    'progressing',
    'container web: ErrImagePull',
  ],
  [
    'what it mounts may still come',
    { status: { phase: 'Pending', containerStatuses: waiting('CreateContainerConfigError', 'configmap "a" not found') } },
    'progressing',
    'container web: CreateContainerConfigError: configmap "a" not found',
  ],
  ['its node is lost', { status: { phase: 'Unknown' } }, 'unknown', 'its node does not answer'],
]);

const selected = { annotations: { 'volume.kubernetes.io/selected-node': 'n1' } };
kind('v1', 'PersistentVolumeClaim', [
  ['bound', { status: { phase: 'Bound' } }, 'healthy'],
  ['lost', { status: { phase: 'Lost' } }, 'failed', 'its volume is gone'],
  [
    'pending, of an unknown class',
    { status: { phase: 'Pending' } },
    'progressing',
    'it is not bound yet; some storage classes wait for the first pod that uses it',
  ],
  [
    'pending, of a class that binds at once',
    { status: { phase: 'Pending' } },
    'progressing',
    'it is not bound yet',
    { volumeBindingMode: 'Immediate' },
  ],
  [
    'pending without a consumer is all that can be expected',
    { status: { phase: 'Pending' } },
    'healthy',
    'it is bound when the first pod uses it',
    { volumeBindingMode: 'WaitForFirstConsumer' },
  ],
  [
    'pending with a consumer is to be bound',
    { metadata: selected, status: { phase: 'Pending' } },
    'progressing',
    'it is not bound yet',
    { volumeBindingMode: 'WaitForFirstConsumer' },
  ],
]);

kind('v1', 'PersistentVolume', [
  ['available', { status: { phase: 'Available' } }, 'healthy'],
  ['failed', { status: { phase: 'Failed', message: 'no plugin' } }, 'failed', 'no plugin'],
]);

kind('v1', 'Service', [
  ['inside the cluster', { spec: { type: 'ClusterIP' } }, 'healthy'],
  [
    'without its load balancer',
    { spec: { type: 'LoadBalancer' }, status: { loadBalancer: {} } },
    'progressing',
    'it has no load balancer yet',
  ],
  ['with its load balancer', { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }, 'healthy'],
]);

kind('v1', 'Namespace', [
  ['active', { status: { phase: 'Active' } }, 'healthy'],
  ['terminating', { status: { phase: 'Terminating' } }, 'progressing', 'it is being deleted'],
]);

kind('networking.k8s.io/v1', 'Ingress', [['at once', { status: { loadBalancer: {} } }, 'healthy']]);

kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', [
  ['just created', {}, 'progressing', 'it is not established yet'],
  ['established', { status: { conditions: [condition('NamesAccepted', 'True'), condition('Established', 'True')] } }, 'healthy'],
  [
    'being established',
    {
      status: {
        conditions: [
          condition('NamesAccepted', 'True'),
          condition('Established', 'False', 'Installing', 'the initial names have been accepted'),
        ],
      },
    },
    'progressing',
    'the initial names have been accepted',
  ],
  [
    'another one has its names',
    { status: { conditions: [condition('NamesAccepted', 'False', 'PluralConflict', '"widgets" is already in use')] } },
    'failed',
    '"widgets" is already in use',
  ],
]);

kind('apiregistration.k8s.io/v1', 'APIService', [
  ['just created', {}, 'progressing', 'its server has not been asked yet'],
  ['available', { status: { conditions: [condition('Available', 'True')] } }, 'healthy'],
  [
    'unavailable',
    { status: { conditions: [condition('Available', 'False', 'MissingEndpoints', 'endpoints for service/metrics have no addresses')] } },
    'progressing',
    'endpoints for service/metrics have no addresses',
  ],
]);

kind('autoscaling/v2', 'HorizontalPodAutoscaler', [
  ['just created', {}, 'progressing', 'it has not looked at its target yet'],
  ['working', { status: { conditions: [condition('AbleToScale', 'True'), condition('ScalingActive', 'True')] } }, 'healthy'],
  [
    'its target is not there',
    { status: { conditions: [condition('AbleToScale', 'False', 'FailedGetScale', 'deployments.apps "web" not found')] } },
    'progressing',
    'deployments.apps "web" not found',
  ],
  [
    'without metrics',
    {
      status: {
        conditions: [condition('AbleToScale', 'True'), condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics')],
      },
    },
    'progressing',
    'no metrics',
  ],
  [
    'switched off by scaling to zero',
    { status: { conditions: [condition('AbleToScale', 'True'), condition('ScalingActive', 'False', 'ScalingDisabled')] } },
    'healthy',
  ],
]);

kind('policy/v1', 'PodDisruptionBudget', [
  ['not seen', {}, 'progressing', UNSEEN],
  [
    'too few pods are not the fault of the budget',
    {
      status: { ...seen, currentHealthy: 0, desiredHealthy: 1, conditions: [condition('DisruptionAllowed', 'False', 'InsufficientPods')] },
    },
    'healthy',
  ],
  [
    'it cannot be computed',
    { status: { ...seen, conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed', 'found no controllers for pod "x"')] } },
    'progressing',
    'found no controllers for pod "x"',
  ],
]);

kind('example.brokkr.test/v1', 'Widget', [
  ['one that says nothing is taken as it is', {}, 'healthy'],
  ['ready', { status: { ...seen, conditions: [condition('Ready', 'True')] } }, 'healthy'],
  [
    'not ready',
    { status: { conditions: [condition('Ready', 'False', 'Waiting', 'waits for a disk')] } },
    'progressing',
    'waits for a disk',
  ],
  ['not known whether ready', { status: { conditions: [condition('Ready', 'Unknown')] } }, 'progressing', 'Ready is Unknown'],
  ['an old status', { status: { observedGeneration: 1, conditions: [condition('Ready', 'True')] } }, 'progressing', UNSEEN],
  ['an old condition', { status: { conditions: [{ ...condition('Ready', 'True'), observedGeneration: 1 }] } }, 'progressing', UNSEEN],
  [
    'being reconciled',
    { status: { conditions: [condition('Reconciling', 'True', 'Progressing'), condition('Ready', 'True')] } },
    'progressing',
    'Progressing',
  ],
  [
    'stalled',
    { status: { conditions: [condition('Ready', 'False'), condition('Stalled', 'True', 'BadSpec', 'no such size')] } },
    'failed',
    'no such size',
  ],
  ['available', { status: { conditions: [condition('Available', 'True')] } }, 'healthy'],
  [
    'ready counts before available',
    { status: { conditions: [condition('Available', 'True'), condition('Ready', 'False', 'No')] } },
    'progressing',
    'No',
  ],
  [
    'a run that failed',
    { status: { conditions: [condition('Succeeded', 'False', 'Failed', 'step 2 failed')] } },
    'failed',
    'step 2 failed',
  ],
  ['a run that goes on', { status: { conditions: [condition('Succeeded', 'Unknown', 'Running')] } }, 'progressing', 'Running'],
  ['a status of another shape is no error', { status: { conditions: 'none', observedGeneration: 'x' } }, 'progressing', UNSEEN],
]);

describe('whether there is anything to wait for', () => {
  test.each([
    ['v1', 'ConfigMap', false],
    ['v1', 'Secret', false],
    ['v1', 'ServiceAccount', false],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', false],
    ['networking.k8s.io/v1', 'NetworkPolicy', false],
    ['networking.k8s.io/v1', 'Ingress', false],
    ['storage.k8s.io/v1', 'StorageClass', false],
    ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', false],
    ['v1', 'Pod', true],
    ['v1', 'Service', true],
    ['apps/v1', 'Deployment', true],
    ['apps/v1beta1', 'Deployment', true],
    ['batch/v1', 'Job', true],
    ['example.brokkr.test/v1', 'ConfigMap', true],
  ])('%s %s: %s', (apiVersion, name, expected) => {
    expect(hasHealth(apiVersion, name)).toBe(expected);
  });

  test('a kind with nothing to wait for is healthy whatever its status says', () => {
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', { status: { conditions: [condition('Ready', 'False')] } });
    expect(objectHealth(role)).toEqual({ status: 'healthy' });
  });
});
