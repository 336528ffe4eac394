import type { Assignment } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { jitteredMs } from '../../../lib/platform/backoff.ts';
import type { Log } from '../../../lib/platform/log.ts';
import type { AgentMetrics } from '../../agent-metrics.ts';
import { ClusterError, type LiveObject } from '../../cluster/cluster.ts';
import type { Reports } from '../../reports.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { applyStack } from '../apply/apply-stack.ts';
import { checkStack } from '../apply/check-stack.ts';
import { type Desired, desiredObjects } from '../desired/desired.ts';
import { ManifestError } from '../desired/manifests.ts';
import { type Origin, ownedBy } from '../desired/ownership.ts';
import type { StackAnnotations } from '../desired/stack-annotations.ts';
import { type Assigned, isAssigned, type StackContents } from '../desired/stack-contents.ts';
import { stackPolicy } from '../desired/stack-policy.ts';
import { correctionText, type Outcome, objectOutcome } from '../effects/outcome.ts';
import { finishedJobs, isDone } from '../health/finished-jobs.ts';
import { type HealthWait, judgeHealth, nextLookMs } from '../health/health-wait.ts';
import { hasHealth, isLeaving } from '../health/stack-health.ts';
import { type BindingModes, bindingModesFor } from '../health/volume-binding.ts';
import { observe } from '../plan/observe.ts';
import type { AttemptPorts, StackAttempt } from '../stack-attempt.ts';
import { HELD_LOOK_MS, type StackNotes, setBack } from '../stack-memory.ts';
import type { Step } from './next-step.ts';
import { createRemoval } from './removal-step.ts';

export interface StackStepsOptions extends AttemptPorts {
  agentId: string;
  contents: StackContents;
  annotations: StackAnnotations;
  reports: Reports;
  state: AgentState;
  metrics: AgentMetrics;
  log: Log;
  defaultNamespace: string;
  healthTimeoutMs: number;
  driftIntervalMs: number;
}

/** A step that does something. */
export type DueStep = Exclude<Step, { do: 'nothing' | 'wait' }>;

export interface StackSteps {
  /** Carries a step out, tells its news and notes when to look again. False where it failed. Rejects where it could not be tried. */
  run(step: DueStep, assignment: Assignment, notes: StackNotes): Promise<boolean>;
  tell(assignment: Assignment, outcome: Outcome, startedMs: number, options?: { again?: boolean }): void;
}

const LOOK_AFTER_ERROR_MS = 5_000;
/** What an update drops goes stage by stage: the next one after the last is gone. */
const LEFTOVERS_LOOK_MS = 10_000;

export function createStackSteps(options: StackStepsOptions): StackSteps {
  const { agentId, effects, inventories, guard, contents, annotations, reports, state, metrics, log } = options;
  const { clock, random } = effects;
  const now = () => clock.monotonicMs();
  const ownerOf = ({ stack_id: stackId }: Assignment) => ({ agentId, stackId });
  const remove = createRemoval(options, { later, applied, tell });

  function run(step: DueStep, assignment: Assignment, notes: StackNotes): Promise<boolean> {
    switch (step.do) {
      case 'apply':
        return apply(withContents(assignment), notes);
      case 'check':
        return check(withContents(assignment), notes);
      case 'look':
        return look(withContents(assignment), notes);
      case 'adopt':
        return adopt(withContents(assignment), notes);
      case 'remove':
        return remove(assignment, notes, step.because);
    }
  }

  async function attemptOn(assignment: Assigned, origin: Origin): Promise<StackAttempt> {
    const owner = ownerOf(assignment);
    const [manifests, stackAnnotations] = await Promise.all([contents.manifests(assignment), annotations.of(assignment)]);
    return {
      owner,
      sequence: assignment.sequence_id,
      deploymentObjectId: assignment.deployment_object_id,
      checksum: assignment.checksum,
      desired: await desiredObjects(effects.cluster, manifests, {
        owner,
        origin,
        defaultNamespace: options.defaultNamespace,
        isReserved: inventories.isInventory,
      }),
      policy: stackPolicy(manifests, stackAnnotations, { healthTimeoutMs: options.healthTimeoutMs }),
      inventory: inventories.find(assignment.stack_id),
    };
  }

  async function apply(assignment: Assigned, notes: StackNotes): Promise<boolean> {
    const startedMs = now();
    notes.healthWait = undefined;
    notes.terminatingSinceMs = undefined;
    notes.removed = undefined;
    notes.verified = undefined;
    const { deployment_object_id: deploymentObjectId, checksum } = assignment;
    const attempt = await attemptOn(assignment, { deploymentObjectId, checksum });
    const { outcome, live } = await applyStack(options, attempt);
    noteVersions(notes, live);
    await noteFinished(assignment, live);
    return follow(assignment, notes, { outcome, live, attempt, startedMs });
  }

  /** Within the deadline of a `wait` that it goes on with: what was just applied has to be there, whatever is done about drift later. */
  async function check(assignment: Assigned, notes: StackNotes, wait?: HealthWait): Promise<boolean> {
    const startedMs = wait?.startedMs ?? now();
    notes.healthWait = undefined;
    // The marks on the objects name the deployment object that they were applied for, which may be an earlier one of equal contents.
    const appliedFor = inventories.find(assignment.stack_id)?.deploymentObjectId ?? assignment.deployment_object_id;
    const attempt = await attemptOn(assignment, { deploymentObjectId: appliedFor, checksum: assignment.checksum });
    if (wait) attempt.policy = { ...attempt.policy, drift: 'correct' };
    const { outcome, live, corrected } = await checkStack(options, attempt, notes.seen);
    noteVersions(notes, live);
    await noteFinished(assignment, live);
    if (corrected > 0) {
      metrics.driftCorrected(corrected);
      log.warn('drift_corrected', { stack_id: assignment.stack_id, objects: corrected });
    }
    const last = reports.last(assignment.stack_id);
    const wasWell = !notes.failed && last?.deployment_object_id === assignment.deployment_object_id && last.status === 'SUCCESS';
    if (wait || !wasWell || outcome.status === 'FAILURE')
      return follow(assignment, notes, { outcome, live, attempt, startedMs, deadlineMs: wait?.deadlineMs, again: corrected > 0 });
    verified(assignment, notes, outcome);
    if (corrected > 0) tell(assignment, { ...outcome, summary: correctionText(outcome) }, startedMs, { again: true });
    return true;
  }

  /** A failure is told and tried again; what was applied has to be healthy too. */
  function follow(
    assignment: Assigned,
    notes: StackNotes,
    {
      outcome,
      live,
      attempt,
      startedMs,
      deadlineMs,
      again = false,
    }: {
      outcome: Outcome;
      live: ReadonlyMap<string, LiveObject>;
      attempt: StackAttempt;
      startedMs: number;
      deadlineMs?: number | undefined;
      again?: boolean;
    },
  ): boolean {
    if (outcome.status === 'FAILURE') {
      later(assignment, notes, outcome.held ? HELD_LOOK_MS : undefined);
      tell(assignment, outcome, startedMs, { again });
      return false;
    }
    const { policy, desired } = attempt;
    const waits = (object: Desired) => {
      const found = live.get(object.key);
      if (isLeaving(found)) return true;
      return policy.health === 'wait' && hasHealth(object.ref) && (found !== undefined || !isDone(object, attempt));
    };
    const wait = {
      deploymentObjectId: assignment.deployment_object_id,
      startedMs,
      deadlineMs: deadlineMs ?? now() + policy.healthTimeoutMs,
      lookAtMs: now() + nextLookMs(0),
      pending: desired.filter(waits).map(({ key, ref }) => ({ key, ref })),
      outcome,
    };
    return judge(assignment, notes, wait, live, new Map());
  }

  async function look(assignment: Assigned, notes: StackNotes): Promise<boolean> {
    const wait = notes.healthWait;
    if (!wait) return false;
    try {
      const refs = wait.pending.map(({ ref }) => ref);
      const { live, unknown } = await observe(effects.cluster, refs, ownedBy(ownerOf(assignment)), effects.stop);
      // Nothing is healthy that can't be looked at.
      for (const error of unknown.values()) throw error;
      // What was applied to an object on its way out is gone with it.
      if (wait.pending.some(({ key, leaving }) => leaving && !live.has(key))) return await check(assignment, notes, wait);
      await noteFinished(assignment, live);
      const modes = await bindingModesFor(effects.cluster, live.values(), effects.stop);
      return judge(assignment, notes, { ...wait, lookAtMs: now() + nextLookMs(now() - wait.startedMs) }, live, modes);
    } catch (error) {
      if (!(error instanceof ClusterError && error.retryable) || now() >= wait.deadlineMs) throw error;
      notes.healthWait = { ...wait, lookAtMs: now() + LOOK_AFTER_ERROR_MS };
      return false;
    }
  }

  function judge(
    assignment: Assigned,
    notes: StackNotes,
    wait: HealthWait,
    live: ReadonlyMap<string, LiveObject>,
    modes: BindingModes,
  ): boolean {
    const verdict = judgeHealth(wait, live, modes, now());
    if (!verdict.done) {
      notes.healthWait = { ...wait, pending: verdict.pending };
      return true;
    }
    notes.healthWait = undefined;
    const well = verdict.outcome.status === 'SUCCESS';
    if (well) verified(assignment, notes, wait.outcome);
    else later(assignment, notes);
    tell(assignment, verdict.outcome, wait.startedMs);
    return well;
  }

  async function adopt(assignment: Assigned, notes: StackNotes): Promise<boolean> {
    const owned = inventories.find(assignment.stack_id)?.objects ?? [];
    const { checkAtMs } = notes;
    guard.done(assignment.stack_id);
    verified(assignment, notes);
    // Nothing was looked at: the next look is due when it was.
    notes.checkAtMs = checkAtMs;
    tell(
      assignment,
      { status: 'SUCCESS', summary: 'unchanged', objects: owned.map((ref) => objectOutcome(ref, { action: 'unchanged' })) },
      now(),
    );
    return true;
  }

  /** Written down before anything else is: it must not be run again even if this process ends here. */
  async function noteFinished({ stack_id: stackId }: Assignment, live: ReadonlyMap<string, LiveObject>): Promise<void> {
    const inventory = inventories.find(stackId);
    const known = new Set(inventory?.finished);
    const news = finishedJobs(live).filter((key) => !known.has(key));
    if (inventory && news.length > 0) await inventories.put({ ...inventory, finished: [...known, ...news] });
  }

  function later({ deployment_object_id }: Assignment, notes: StackNotes, ms?: number): void {
    setBack(notes, deployment_object_id ?? '', now(), random, ms);
  }

  function verified(assignment: Assigned, notes: StackNotes, { unfinished }: Pick<Outcome, 'unfinished'> = {}): void {
    const intervalMs = unfinished ? LEFTOVERS_LOOK_MS : options.driftIntervalMs;
    notes.verified = assignment.checksum;
    notes.failed = undefined;
    notes.checkAtMs = intervalMs > 0 ? now() + jitteredMs(intervalMs, 0.1, random) : undefined;
    applied(assignment);
  }

  function applied({ stack_id, sequence_id }: Assignment): void {
    const record = state.stack(stack_id);
    if (sequence_id === null || record.sequence === sequence_id) return;
    record.sequence = sequence_id;
    state.changed();
  }

  function tell(assignment: Assignment, outcome: Outcome, startedMs: number, { again = false } = {}): void {
    const { stack_id: stackId, deployment_object_id: deploymentObjectId } = assignment;
    if (deploymentObjectId === null) return;
    const durationMs = now() - startedMs;
    const type = assignment.state === 'withdrawn' ? 'remove' : 'deploy';
    if (outcome.held) metrics.deletionsHeld();
    log.info('reconciled', {
      stack_id: stackId,
      deployment_object_id: deploymentObjectId,
      status: outcome.status,
      objects: outcome.objects.length,
      duration_ms: Math.round(durationMs),
    });
    reports.submit({ stackId, deploymentObjectId, type, outcome, durationMs, again });
  }

  return { run, tell };
}

function noteVersions(notes: StackNotes, live: ReadonlyMap<string, LiveObject>): void {
  for (const [key, { metadata }] of live) notes.seen.set(key, metadata.resourceVersion);
}

function withContents(assignment: Assignment): Assigned {
  if (!isAssigned(assignment)) throw new ManifestError('the assignment names no deployment object');
  return assignment;
}
