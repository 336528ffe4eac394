import { YamlError } from '../../../lib/fleet/protocol/yaml-rules.ts';
import type { Log } from '../../../lib/platform/log.ts';
import type { AgentMetrics } from '../../agent-metrics.ts';
import { ClusterError } from '../../cluster/cluster.ts';
import { ControlPlaneError } from '../../control-plane/control-plane.ts';
import type { StackAssignment } from '../../control-plane/stack-assignment.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Reports } from '../../reports.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { ManifestError } from '../desired/manifests.ts';
import { objectText } from '../desired/object-key.ts';
import type { ClusterEffects } from '../effects/cluster-effects.ts';
import type { Outcome } from '../effects/outcome.ts';
import { InventoryError } from '../inventory/inventory-store.ts';
import { type InProcess, orderOf, scheduleRetry, timeToPass } from './stack-progress.ts';
import type { StepResult } from './step-result.ts';

export interface RecorderPorts {
  effects: ClusterEffects;
  state: AgentState;
  reports: Reports;
  metrics: AgentMetrics;
  log: Log;
  /** How long what may pass by itself is no failure, if a stack says nothing else. */
  healthTimeoutMs: number;
}

/** The only place that writes down and reports what became of a step. */
export interface StepRecorder {
  /** `objectId` is of the deployment object that the report is about. */
  ended(
    assignment: StackAssignment,
    progress: InProcess,
    result: StepResult,
    told: { objectId: string | undefined; startedMs: number },
  ): void;
  /** The step could not be tried. */
  failed(assignment: StackAssignment, progress: InProcess, error: unknown, startedMs: number): void;
}

/** Their messages contain no values of objects. */
const FORESEEN = [ClusterError, ControlPlaneError, InventoryError, ManifestError, YamlError];

export function createStepRecorder({ effects, state, reports, metrics, log, healthTimeoutMs }: RecorderPorts): StepRecorder {
  const { clock, random } = effects;

  /** Writes it down, and says whether it is to be reported: what may still pass by itself is no news. */
  function record(assignment: StackAssignment, progress: InProcess, result: StepResult): boolean {
    const { stackId, deployment } = assignment;
    const order = orderOf(assignment);
    const { outcome, verified, healthWait, retryAfterMs, removal, live = new Map() } = result;
    for (const [key, { metadata }] of live) progress.seen.set(key, metadata.resourceVersion);
    if (result.drift !== undefined) progress.drift = result.drift;
    progress.healthWait = healthWait;
    progress.removal = removal;
    progress.verified = verified && deployment?.checksum;
    if (verified && deployment) {
      progress.checkAtMs = verified.checkAtMs;
      state.noteApplied(stackId, deployment.sequence);
    }
    const nowMs = clock.monotonicMs();
    const withinMs = result.patienceMs ?? healthTimeoutMs;
    const passingMs = outcome?.mayPass ? timeToPass(progress, order, { nowMs, withinMs }) : undefined;
    if (!outcome?.mayPass) progress.passing = undefined;
    if (outcome?.status === 'FAILURE' || retryAfterMs !== undefined)
      scheduleRetry(progress, order, { nowMs, random, ms: retryAfterMs, passingMs, atLeastMs: result.askedToWaitMs });
    else if (outcome || verified) progress.failed = undefined;
    if (outcome && passingMs !== undefined) log.info('tried_again', { stack_id: stackId, reason: outcome.summary });
    return outcome !== undefined && passingMs === undefined;
  }

  function report(assignment: StackAssignment, objectId: string | undefined, outcome: Outcome, startedMs: number, again: boolean): void {
    if (objectId === undefined) return;
    const { stackId } = assignment;
    const durationMs = clock.monotonicMs() - startedMs;
    if (outcome.held) metrics.deletionsHeld();
    log.info('reconciled', {
      stack_id: stackId,
      deployment_object_id: objectId,
      status: outcome.status,
      objects: outcome.objects.length,
      duration_ms: Math.round(durationMs),
    });
    const type = assignment.state === 'withdrawn' ? 'remove' : 'deploy';
    reports.submit({ stackId, deploymentObjectId: objectId, type, outcome, durationMs, again });
  }

  return {
    ended(assignment, progress, result, { objectId, startedMs }) {
      const { outcome, corrected = 0, drift = '', fought = [] } = result;
      const isNews = record(assignment, progress, result);
      if (corrected > 0) {
        metrics.driftCorrected(corrected);
        log.warn('drift_corrected', { stack_id: assignment.stackId, objects: corrected });
      }
      for (const { object, field, manager } of fought) {
        metrics.driftFight(objectText(object), field, manager);
        log.warn('drift_fight', { stack_id: assignment.stackId, object: objectText(object), field, manager });
      }
      if (outcome && isNews) report(assignment, objectId, outcome, result.startedMs ?? startedMs, corrected > 0 || drift !== '');
    },
    failed(assignment, progress, error, startedMs) {
      const isForeseen = FORESEEN.some((kind) => error instanceof kind);
      log[isForeseen ? 'warn' : 'error']('stack_failed', { stack_id: assignment.stackId, error });
      // An error that nobody foresaw may quote anything.
      const summary = error instanceof Error && isForeseen ? error.message : MESSAGES.unforeseen();
      const transient = error instanceof ClusterError && error.retryable;
      const outcome: Outcome = { status: 'FAILURE', summary, objects: [], ...(transient && { mayPass: true }) };
      const askedToWaitMs = transient ? error.retryAfterMs : undefined;
      const isNews = record(assignment, progress, { outcome, removal: progress.removal, askedToWaitMs });
      // A control plane that could not be asked needs no news of that.
      if (!isNews || (error instanceof ControlPlaneError && error.fault === 'unreachable')) return;
      report(assignment, assignment.deployment?.objectId, outcome, startedMs, false);
    },
  };
}
