import { describe, expect, test } from '@jest/globals';
import { kindHasHealth, objectHealth } from '../../agent/reconcile/health/object-health.ts';
import { condition, kind, object, seen, UNSEEN } from './object-health-rows.ts';

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
  ['a status of another shape is no error', { status: { conditions: 'none', observedGeneration: {} } }, 'healthy'],
  ['an old generation that is written as a text', { status: { observedGeneration: '1' } }, 'progressing', UNSEEN],
  ['the generation written as a text', { status: { observedGeneration: '2', conditions: [condition('Ready', 'True')] } }, 'healthy'],
  ['a hash in the place of a generation is not compared', { status: { observedGeneration: '5d4f8c7b9' } }, 'healthy'],
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
    expect(kindHasHealth(apiVersion, name)).toBe(expected);
  });

  test('a kind with nothing to wait for is healthy whatever its status says', () => {
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', { status: { conditions: [condition('Ready', 'False')] } });
    expect(objectHealth(role)).toEqual({ status: 'healthy' });
  });
});
