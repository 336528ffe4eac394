import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';
import { YamlError } from '../../lib/fleet/protocol/yaml-documents.ts';
import { backoffMs, jitteredMs } from '../../lib/platform/backoff.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { AgentMetrics } from '../agent-metrics.ts';
import { ClusterError, type LiveObject } from '../cluster/cluster.ts';
import { ControlPlaneError } from '../control-plane/control-plane.ts';
import type { News, Reports } from '../reports.ts';
import type { AgentState } from '../state/agent-state.ts';
import { applyStack } from './apply-stack.ts';
import { checkStack } from './check-stack.ts';
import { type Desired, desiredObjects } from './desired.ts';
import { type HealthWait, judgeHealth, nextLookMs } from './health-wait.ts';
import { ManifestError } from './manifests.ts';
import { nextStep, type StackMemory, type Step } from './next-step.ts';
import { observe } from './observe.ts';
import { isBad, type Outcome, objectOutcome } from './outcome.ts';
import { ownedBy } from './ownership.ts';
import type { PruneReason } from './plan.ts';
import { removeStack } from './remove-stack.ts';
import type { AttemptPorts, StackAttempt } from './stack-attempt.ts';
import { type Assigned, isAssigned, type StackContents } from './stack-contents.ts';
import { hasHealth } from './stack-health.ts';
import { type StackPolicy, stackPolicy } from './stack-policy.ts';

/** Does what is due for one stack and answers after how many milliseconds something will be again; undefined where nothing by itself. */
export type StackReconciler = (stackId: string) => Promise<number | undefined>;

export interface StackReconcilerOptions extends AttemptPorts {
  agentId: string;
  /** The assignment of a stack as far as it is to be followed: none while the agent is not ACTIVE. */
  assignmentOf: (stackId: string) => Assignment | undefined;
  contents: StackContents;
  reports: Reports;
  state: AgentState;
  metrics: AgentMetrics;
  log: Log;
  defaultNamespace: string;
  healthTimeoutMs: number;
  driftIntervalMs: number;
}

type Due = Exclude<Step, { do: 'nothing' | 'wait' }>;

interface Memory {
  verified?: string | undefined;
  failed?: { deploymentObjectId: string; retryAtMs: number; times: number } | undefined;
  healthWait?: HealthWait | undefined;
  checkAtMs?: number | undefined;
  /** resourceVersions seen last, by object. */
  seen: Map<string, string>;
  staleTold?: string;
}

const RETRY = { baseMs: 5_000, capMs: 300_000 };
/** More steps at once than any stack needs: what would go on is looked at again a little later. */
const STEPS_AT_ONCE = 4;
const PAUSE_MS = 1_000;
const TERMINATING_LOOK_MS = 2_000;

export function createStackReconciler(options: StackReconcilerOptions): StackReconciler {
  const { agentId, effects, inventories, guard, contents, reports, state, metrics, log } = options;
  const { clock, random, stop } = effects;
  const memories = new Map<string, Memory>();
  const now = () => clock.monotonicMs();

  function memoryOf(stackId: string): Memory {
    const memory = memories.get(stackId) ?? { seen: new Map<string, string>() };
    memories.set(stackId, memory);
    return memory;
  }

  const viewOf = (stackId: string, memory: Memory): StackMemory => ({
    sequence: state.stack(stackId).sequence,
    reported: reports.last(stackId),
    verified: memory.verified,
    failed: memory.failed,
    healthWait: memory.healthWait,
    checkAtMs: memory.checkAtMs,
  });

  return async (stackId) => {
    for (let steps = 0; steps < STEPS_AT_ONCE && !stop.aborted; steps += 1) {
      const assignment = options.assignmentOf(stackId);
      const memory = memoryOf(stackId);
      let step: Step;
      try {
        step = nextStep(assignment, inventories.find(stackId), viewOf(stackId, memory), now());
      } catch (error) {
        // An inventory that can't be read: without it nothing of the stack may be touched.
        if (!assignment || (memory.failed && memory.failed.retryAtMs > now())) return memory.failed && memory.failed.retryAtMs - now();
        failed(assignment, memory, error, now());
        continue;
      }
      if (step.do === 'wait') return step.ms;
      if (!assignment || step.do === 'nothing') return settledAs(stackId, assignment, memory, step);
      await perform(step, assignment, memory);
    }
    return stop.aborted ? undefined : PAUSE_MS;
  };

  function settledAs(stackId: string, assignment: Assignment | undefined, memory: Memory, step: Step): undefined {
    if (step.do !== 'nothing') return;
    if (step.because === 'removed' || step.because === 'not assigned') memories.delete(stackId);
    if (step.because !== 'older than what was applied' || memory.staleTold === assignment?.deployment_object_id) return;
    memory.staleTold = assignment?.deployment_object_id ?? '';
    metrics.staleAssignment();
    log.warn('older_assignment_refused', { stack_id: stackId, sequence_id: assignment?.sequence_id });
  }

  async function perform(step: Due, assignment: Assignment, memory: Memory): Promise<void> {
    const startedMs = now();
    let ok = false;
    try {
      ok = await run(step, assignment, memory, startedMs);
    } catch (error) {
      if (stop.aborted) return;
      failed(assignment, memory, error, startedMs);
    }
    metrics.reconciled(step.do, ok ? 'success' : 'failure', (now() - startedMs) / 1000);
  }

  function run(step: Due, assignment: Assignment, memory: Memory, startedMs: number): Promise<boolean> {
    switch (step.do) {
      case 'apply':
        return apply(withContents(assignment), memory, startedMs);
      case 'check':
        return check(withContents(assignment), memory, startedMs);
      case 'look':
        return look(withContents(assignment), memory);
      case 'adopt':
        return adopt(withContents(assignment), memory, startedMs);
      case 'remove':
        return remove(assignment, memory, startedMs, step.because);
    }
  }

  async function attemptOn(assignment: Assigned, origin: { deploymentObjectId: string; checksum: string }): Promise<StackAttempt> {
    const owner = { agentId, stackId: assignment.stack_id };
    const manifests = await contents.manifests(assignment);
    return {
      owner,
      sequence: assignment.sequence_id,
      deploymentObjectId: assignment.deployment_object_id,
      checksum: assignment.checksum,
      desired: await desiredObjects(effects.cluster, manifests, { owner, origin, defaultNamespace: options.defaultNamespace }),
      policy: stackPolicy(manifests, { healthTimeoutMs: options.healthTimeoutMs }),
      inventory: inventories.find(assignment.stack_id),
    };
  }

  async function apply(assignment: Assigned, memory: Memory, startedMs: number): Promise<boolean> {
    memory.healthWait = undefined;
    memory.verified = undefined;
    const attempt = await attemptOn(assignment, { deploymentObjectId: assignment.deployment_object_id, checksum: assignment.checksum });
    const { outcome, live } = await applyStack(options, attempt);
    remember(memory, live);
    return follow(assignment, memory, { outcome, live, policy: attempt.policy, desired: attempt.desired, startedMs });
  }

  async function check(assignment: Assigned, memory: Memory, startedMs: number): Promise<boolean> {
    const inventory = inventories.find(assignment.stack_id);
    // The marks on the objects still name the deployment object that they were applied for.
    const attempt = await attemptOn(assignment, { deploymentObjectId: inventory?.deploymentObjectId ?? '', checksum: assignment.checksum });
    const { outcome, live, corrected } = await checkStack(options, attempt, memory.seen);
    remember(memory, live);
    if (corrected > 0) {
      metrics.driftCorrected(corrected);
      log.warn('drift_corrected', { stack_id: assignment.stack_id, objects: corrected });
    }
    const last = reports.last(assignment.stack_id);
    const wasWell = !memory.failed && last?.deployment_object_id === assignment.deployment_object_id && last.status === 'SUCCESS';
    if (wasWell && outcome.status === 'SUCCESS') {
      verified(assignment, memory);
      if (corrected > 0) tell(assignment, { ...outcome, summary: correctionText(outcome, corrected) }, startedMs, { again: true });
      return true;
    }
    return follow(assignment, memory, { outcome, live, policy: attempt.policy, desired: attempt.desired, startedMs });
  }

  interface Followed {
    outcome: Outcome;
    live: ReadonlyMap<string, LiveObject>;
    policy: StackPolicy;
    desired: readonly Desired[];
    startedMs: number;
  }

  /** What follows an apply or a check: a failure is told and tried again, a success has to be healthy too. */
  function follow(assignment: Assigned, memory: Memory, { outcome, live, policy, desired, startedMs }: Followed): boolean {
    if (outcome.status === 'FAILURE') {
      setBack(assignment, memory);
      tell(assignment, outcome, startedMs);
      if (outcome.summary.startsWith('held')) metrics.deletionsHeld();
      return false;
    }
    const pending = policy.health === 'apply-only' ? [] : desired.filter(({ ref }) => hasHealth(ref)).map(({ key, ref }) => ({ key, ref }));
    const wait = {
      deploymentObjectId: assignment.deployment_object_id,
      startedMs,
      deadlineMs: now() + policy.healthTimeoutMs,
      pending,
      outcome,
    };
    return judge(assignment, memory, { ...wait, lookAtMs: now() + nextLookMs(0) }, live);
  }

  async function look(assignment: Assigned, memory: Memory): Promise<boolean> {
    const wait = memory.healthWait;
    if (!wait) return false;
    const owner = { agentId, stackId: assignment.stack_id };
    try {
      const live = await observe(
        effects.cluster,
        wait.pending.map(({ ref }) => ref),
        ownedBy(owner),
      );
      return judge(assignment, memory, { ...wait, lookAtMs: now() + nextLookMs(now() - wait.startedMs) }, live);
    } catch (error) {
      if (!(error instanceof ClusterError && error.retryable) || now() >= wait.deadlineMs) throw error;
      memory.healthWait = { ...wait, lookAtMs: now() + RETRY.baseMs };
      return false;
    }
  }

  function judge(assignment: Assigned, memory: Memory, wait: HealthWait, live: ReadonlyMap<string, LiveObject>): boolean {
    const verdict = judgeHealth(wait, live, now());
    if (!verdict.done) {
      memory.healthWait = { ...wait, pending: verdict.pending };
      return true;
    }
    memory.healthWait = undefined;
    tell(assignment, verdict.outcome, wait.startedMs);
    if (verdict.outcome.status === 'SUCCESS') verified(assignment, memory);
    else setBack(assignment, memory);
    return verdict.outcome.status === 'SUCCESS';
  }

  async function adopt(assignment: Assigned, memory: Memory, startedMs: number): Promise<boolean> {
    guard.done(assignment.stack_id);
    verified(assignment, memory);
    tell(
      assignment,
      {
        status: 'SUCCESS',
        summary: 'unchanged',
        objects: inventories.find(assignment.stack_id)?.objects.map((ref) => objectOutcome(ref, { action: 'unchanged' })) ?? [],
      },
      startedMs,
    );
    return true;
  }

  async function remove(assignment: Assignment, memory: Memory, startedMs: number, because: PruneReason): Promise<boolean> {
    memory.healthWait = undefined;
    memory.verified = undefined;
    const { stack_id: stackId } = assignment;
    const knownId = assignment.deployment_object_id ?? inventories.find(stackId)?.deploymentObjectId;
    const { outcome, remaining } = await removeStack(options, { agentId, stackId }, because);
    if (outcome.status === 'SUCCESS' && remaining > 0) {
      setBack(assignment, memory, TERMINATING_LOOK_MS);
      return true;
    }
    memory.seen.clear();
    if (outcome.status === 'SUCCESS') memory.failed = undefined;
    else setBack(assignment, memory);
    if (outcome.summary.startsWith('held')) metrics.deletionsHeld();
    if (outcome.status === 'SUCCESS' && because === 'deletion marker') applied(assignment);
    if (outcome.status === 'SUCCESS' && because === 'withdrawn') delete state.stack(stackId).sequence;
    if (knownId)
      report({
        stackId,
        deploymentObjectId: knownId,
        type: because === 'withdrawn' ? 'remove' : 'deploy',
        outcome,
        durationMs: now() - startedMs,
      });
    return outcome.status === 'SUCCESS';
  }

  function verified(assignment: Assigned, memory: Memory): void {
    memory.verified = assignment.checksum;
    memory.failed = undefined;
    memory.checkAtMs = options.driftIntervalMs > 0 ? now() + jitteredMs(options.driftIntervalMs, 0.1, random) : undefined;
    applied(assignment);
  }

  function applied({ stack_id, sequence_id }: Assignment): void {
    const record = state.stack(stack_id);
    if (sequence_id === null || record.sequence === sequence_id) return;
    record.sequence = sequence_id;
    state.changed();
  }

  function remember(memory: Memory, live: ReadonlyMap<string, LiveObject>): void {
    if (live.size > 0)
      memory.seen = new Map([...memory.seen, ...[...live].map(([key, { metadata }]) => [key, metadata.resourceVersion] as const)]);
  }

  /** Later: after the given time, or a while that grows with each failure of the same object. */
  function setBack({ deployment_object_id }: Assignment, memory: Memory, ms?: number): void {
    const deploymentObjectId = deployment_object_id ?? '';
    const times = memory.failed?.deploymentObjectId === deploymentObjectId ? memory.failed.times : 0;
    // At least half of the growing wait: a pure draw could be nothing at all.
    const bound = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(times, 20));
    const waitMs = ms ?? bound / 2 + backoffMs(times, RETRY, random) / 2;
    memory.failed = { deploymentObjectId, retryAtMs: now() + waitMs, times: ms === undefined ? times + 1 : times };
    memory.verified = undefined;
  }

  function failed(assignment: Assignment, memory: Memory, error: unknown, startedMs: number): void {
    setBack(assignment, memory);
    log.warn('stack_failed', { stack_id: assignment.stack_id, error });
    // The control plane that could not be asked needs no news of that.
    if (error instanceof ControlPlaneError && error.fault === 'unreachable') return;
    const known =
      error instanceof ClusterError || error instanceof ControlPlaneError || error instanceof ManifestError || error instanceof YamlError;
    const summary = known || error instanceof Error ? error.message : 'the agent failed unexpectedly';
    tell(assignment, { status: 'FAILURE', summary, objects: [] }, startedMs);
  }

  function tell(assignment: Assignment, outcome: Outcome, startedMs: number, { again = false } = {}): void {
    const { stack_id: stackId, deployment_object_id: deploymentObjectId, state: wanted } = assignment;
    if (deploymentObjectId === null) return;
    report({
      stackId,
      deploymentObjectId,
      type: wanted === 'withdrawn' ? 'remove' : 'deploy',
      outcome,
      durationMs: now() - startedMs,
      again,
    });
  }

  function report(news: News): void {
    const { stackId, outcome } = news;
    log.info('reconciled', {
      stack_id: stackId,
      deployment_object_id: news.deploymentObjectId,
      status: outcome.status,
      objects: outcome.objects.length,
      failed: outcome.objects.filter(isBad).length,
      duration_ms: Math.round(news.durationMs),
    });
    reports.submit(news);
  }
}

function withContents(assignment: Assignment): Assigned {
  if (!isAssigned(assignment)) throw new ManifestError('the assignment names no deployment object');
  return assignment;
}

function correctionText({ objects }: Outcome, corrected: number): string {
  const named = objects.filter(({ action }) => action === 'corrected').slice(0, 20);
  const list = named.map(
    ({ kind, namespace, name, because, message }) => `${[kind, namespace, name].filter(Boolean).join('/')} (${message ?? because})`,
  );
  return `corrected ${corrected} object${corrected === 1 ? '' : 's'}: ${list.join(', ')}${corrected > named.length ? ', …' : ''}`;
}
