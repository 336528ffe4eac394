import { expect, test } from '@jest/globals';
import type { StackAssignment } from '../../agent/control-plane/stack-assignment.ts';
import type { HealthWait } from '../../agent/reconcile/health/health-wait.ts';
import type { Inventory } from '../../agent/reconcile/inventory/inventory.ts';
import { nextStep } from '../../agent/reconcile/steps/next-step.ts';
import type { InProcess, StackProgress } from '../../agent/reconcile/steps/stack-progress.ts';

const NOW = 1_000;
const one = { objectId: 'one', sequence: 1, checksum: 'old' };
const two = { objectId: 'two', sequence: 2, checksum: 'new' };
/** Another deployment object with the same contents. */
const three = { ...two, objectId: 'three', sequence: 3 };
const assigned: StackAssignment = { stackId: 'stack', state: 'assigned', deployment: two, isDeletionMarker: false };
const inventory: Inventory = { stackId: 'stack', deployment: two, isApplied: true, objects: [] };

const reported = (event_type: string, status = 'SUCCESS') => ({ deployment_object_id: 'two', event_type, status, digest: '' });
const fresh = {};
const well: Row['persisted'] = { sequence: 2, reported: reported('DEPLOY') };
const seenWell: Row['inProcess'] = { verified: 'new', checkAtMs: 5_000 };
const failed = (deploymentObjectId: string, retryAtMs: number): Row['inProcess'] => ({
  failed: { order: `assigned ${deploymentObjectId}`, retryAtMs, times: 1 },
});
const waiting = (lookAtMs: number): Row['inProcess'] => {
  const outcome = { status: 'SUCCESS', summary: '', objects: [] } as const;
  const wait: HealthWait = {
    deploymentObjectId: 'two',
    startedMs: 0,
    deadlineMs: 9_000,
    lookAtMs,
    pending: [],
    outcome: { ...outcome, objects: [] },
  };
  return { healthWait: wait };
};

interface Row {
  of: string;
  assignment: Partial<StackAssignment> | undefined;
  inventory?: Partial<Inventory>;
  persisted?: StackProgress['persisted'] | undefined;
  inProcess?: Omit<InProcess, 'seen' | 'fights'> | undefined;
  step: string;
}

const rows: Row[] = [
  { of: 'a stack of which there is no word', assignment: undefined, inventory: {}, persisted: well, step: 'nothing not assigned' },
  { of: 'a stack assigned without contents', assignment: { deployment: undefined }, step: 'nothing no contents yet' },
  { of: 'a stack that was never applied', assignment: {}, step: 'apply' },
  {
    of: 'a stack with other contents',
    assignment: {},
    inventory: { deployment: one },
    persisted: well,
    inProcess: seenWell,
    step: 'apply',
  },
  { of: 'an attempt that did not come to its end', assignment: {}, inventory: { isApplied: false }, step: 'apply' },
  {
    of: "an older sequence than the inventory's",
    assignment: { deployment: one },
    inventory: {},
    persisted: well,
    inProcess: seenWell,
    step: 'nothing older than what was applied',
  },
  {
    of: 'an older sequence than remembered',
    assignment: { deployment: three },
    inventory: {},
    persisted: { ...well, sequence: 4 },
    inProcess: seenWell,
    step: 'nothing older than what was applied',
  },
  {
    of: 'an older deletion marker',
    assignment: { deployment: one, isDeletionMarker: true },
    inventory: {},
    persisted: well,
    inProcess: seenWell,
    step: 'nothing older than what was applied',
  },
  { of: 'a stack that is well', assignment: {}, inventory: {}, persisted: well, inProcess: seenWell, step: 'wait 4000' },
  {
    of: 'a stack that is well while drift is not looked for',
    assignment: {},
    inventory: {},
    persisted: well,
    inProcess: { verified: 'new' },
    step: 'nothing up to date',
  },
  {
    of: 'a stack whose next look is due',
    assignment: {},
    inventory: {},
    persisted: well,
    inProcess: { ...seenWell, checkAtMs: NOW },
    step: 'correct-drift',
  },
  { of: 'a stack that an earlier process applied', assignment: {}, inventory: {}, persisted: well, step: 'correct-drift' },
  {
    of: 'another deployment object with the same contents',
    assignment: { deployment: three },
    inventory: {},
    persisted: well,
    inProcess: seenWell,
    step: 'confirm-unchanged',
  },
  {
    of: 'another deployment object with the same contents after a failure',
    assignment: { deployment: three },
    inventory: {},
    persisted: well,
    inProcess: { ...seenWell, ...failed('two', 9_000) },
    step: 'correct-drift',
  },
  { of: 'a failure that is not to be tried again yet', assignment: {}, inProcess: failed('two', 3_000), step: 'wait 2000' },
  { of: 'a failure that is to be tried again', assignment: {}, inProcess: failed('two', NOW), step: 'apply' },
  {
    of: 'a failure after which the stack was withdrawn',
    assignment: { state: 'withdrawn' },
    inProcess: failed('two', 9_000),
    step: 'remove withdrawn',
  },
  { of: 'a failure after which something new came', assignment: {}, inProcess: failed('one', 9_000), step: 'apply' },
  { of: 'a wait for health', assignment: {}, inventory: {}, inProcess: waiting(1_250), step: 'wait 250' },
  { of: 'a wait for health with a look due', assignment: {}, inventory: {}, inProcess: waiting(NOW), step: 'check-health' },
  {
    of: 'a withdrawn stack',
    assignment: { state: 'withdrawn' },
    inventory: {},
    persisted: well,
    inProcess: seenWell,
    step: 'remove withdrawn',
  },
  {
    of: 'a withdrawn stack, whatever its sequence',
    assignment: { state: 'withdrawn', deployment: one },
    inventory: {},
    persisted: well,
    step: 'remove withdrawn',
  },
  {
    of: 'a withdrawn stack that has nothing here and was not reported',
    assignment: { state: 'withdrawn' },
    persisted: fresh,
    step: 'remove withdrawn',
  },
  {
    of: 'a withdrawn stack whose removal was reported',
    assignment: { state: 'withdrawn' },
    persisted: { reported: reported('REMOVE') },
    step: 'nothing removed',
  },
  { of: 'a withdrawn stack without contents', assignment: { state: 'withdrawn', deployment: undefined }, step: 'nothing removed' },
  {
    of: 'a withdrawn stack whose removal was reported, and that has something here',
    assignment: { state: 'withdrawn' },
    inventory: {},
    persisted: { reported: reported('REMOVE') },
    step: 'remove withdrawn',
  },
  { of: 'a deletion marker', assignment: { isDeletionMarker: true }, inventory: {}, persisted: well, step: 'remove deletion marker' },
  { of: 'a deletion marker that was carried out', assignment: { isDeletionMarker: true }, persisted: well, step: 'nothing removed' },
];

test.each(rows)('the step due for $of is: $step', ({ assignment, inventory: known, persisted = {}, inProcess = {}, step: expected }) => {
  const progress = { persisted, inProcess: { seen: new Map(), fights: new Map(), ...inProcess } };
  const step = nextStep(assignment && { ...assigned, ...assignment }, known && { ...inventory, ...known }, progress, NOW);
  expect([step.do, 'because' in step ? step.because : 'ms' in step ? step.ms : ''].join(' ').trim()).toBe(expected);
});
