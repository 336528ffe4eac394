import { condition, kind, seen, UNSEEN, waiting } from './object-health-rows.ts';

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
