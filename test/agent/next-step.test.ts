import { expect, test } from '@jest/globals';
import { nextStep, type StackMemory } from '../../agent/reconcile/steps/next-step.ts';
import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';

const NOW = 1_000;
const assigned: Assignment = {
  stack_id: 'stack',
  state: 'assigned',
  deployment_object_id: 'two',
  sequence_id: 2,
  checksum: 'new',
  is_deletion_marker: false,
};
const inventory = { stackId: 'stack', sequence: 2, deploymentObjectId: 'two', checksum: 'new', objects: [], createdNamespaces: [] };
const said = (status: string, id = 'two', type = 'DEPLOY') => ({ deployment_object_id: id, event_type: type, status });
const fresh: StackMemory = {
  sequence: undefined,
  reported: undefined,
  verified: undefined,
  failed: undefined,
  healthWait: undefined,
  checkAtMs: undefined,
};
const well: StackMemory = { ...fresh, sequence: 2, reported: said('SUCCESS'), verified: 'new', checkAtMs: 5_000 };

test.each<
  [string, Partial<Assignment> | undefined, Partial<typeof inventory> | { checksum: null } | undefined, Partial<StackMemory>, string]
>([
  ['no word of it: absence is no order', undefined, {}, well, 'nothing not assigned'],
  [
    'assigned without contents',
    { deployment_object_id: null, sequence_id: null, checksum: null },
    undefined,
    fresh,
    'nothing no contents yet',
  ],
  ['never applied', {}, undefined, fresh, 'apply'],
  ['other contents', {}, { checksum: 'old', sequence: 1, deploymentObjectId: 'one' }, well, 'apply'],
  ['an attempt that did not come to its end', {}, { checksum: null }, fresh, 'apply'],
  ["an older sequence than the inventory's", { sequence_id: 1, checksum: 'old' }, {}, well, 'nothing older than what was applied'],
  ['an older sequence than remembered', { sequence_id: 3 }, {}, { ...well, sequence: 4 }, 'nothing older than what was applied'],
  ['an older deletion marker', { sequence_id: 1, is_deletion_marker: true }, {}, well, 'nothing older than what was applied'],
  ['applied, all well', {}, {}, well, 'wait 4000'],
  ['applied, all well, drift detection off', {}, {}, { ...well, checkAtMs: undefined }, 'nothing up to date'],
  ['time to look for drift', {}, {}, { ...well, checkAtMs: NOW }, 'check'],
  ['applied by an earlier process', {}, {}, { ...fresh, reported: said('SUCCESS') }, 'check'],
  ['another object with the same contents', { deployment_object_id: 'three', sequence_id: 3 }, {}, well, 'adopt'],
  [
    'another object with the same contents after a failure',
    { deployment_object_id: 'three', sequence_id: 3 },
    {},
    { ...well, failed: { deploymentObjectId: 'two', retryAtMs: 9_000 } },
    'check',
  ],
  ['failed, too early to try again', {}, undefined, { ...fresh, failed: { deploymentObjectId: 'two', retryAtMs: 3_000 } }, 'wait 2000'],
  ['failed, time to try again', {}, undefined, { ...fresh, failed: { deploymentObjectId: 'two', retryAtMs: NOW } }, 'apply'],
  ['failed, and something new came', {}, undefined, { ...fresh, failed: { deploymentObjectId: 'one', retryAtMs: 9_000 } }, 'apply'],
  ['waiting for health', {}, {}, { ...fresh, healthWait: { deploymentObjectId: 'two', lookAtMs: 1_250 } }, 'wait 250'],
  ['time to look at its health', {}, {}, { ...fresh, healthWait: { deploymentObjectId: 'two', lookAtMs: NOW } }, 'look'],
  ['withdrawn', { state: 'withdrawn' }, {}, well, 'remove withdrawn'],
  ['withdrawn, whatever its sequence', { state: 'withdrawn', sequence_id: 1 }, {}, well, 'remove withdrawn'],
  ['withdrawn, nothing here, not yet told', { state: 'withdrawn' }, undefined, fresh, 'remove withdrawn'],
  ['withdrawn and told', { state: 'withdrawn' }, undefined, { ...fresh, reported: said('SUCCESS', 'two', 'REMOVE') }, 'nothing removed'],
  [
    'withdrawn, told, and yet something is here',
    { state: 'withdrawn' },
    {},
    { ...fresh, reported: said('SUCCESS', 'two', 'REMOVE') },
    'remove withdrawn',
  ],
  ['a deletion marker', { is_deletion_marker: true }, {}, well, 'remove deletion marker'],
  ['a deletion marker that was carried out', { is_deletion_marker: true }, undefined, well, 'nothing removed'],
])('%s', (_case, assignment, known, memory, expected) => {
  const step = nextStep(assignment && { ...assigned, ...assignment }, known && { ...inventory, ...known }, { ...fresh, ...memory }, NOW);
  expect([step.do, 'because' in step ? step.because : 'ms' in step ? step.ms : ''].join(' ').trim()).toBe(expected);
});
