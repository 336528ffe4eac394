import type { Assigned } from '../../control-plane/stack-assignment.ts';
import { checkStack } from '../apply/check-stack.ts';
import { passingFailure } from '../apply/stack-attempt.ts';
import { correctionText } from '../effects/outcome.ts';
import { noteFinishedJobs } from '../health/finished-jobs.ts';
import type { HealthWait } from '../health/health-wait.ts';
import { startHealthWait } from './health-result.ts';
import type { StackProgress } from './stack-progress.ts';
import { checkAtMs, prepareAttempt, type StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

/**
 * Holds what was applied against the cluster. With a `wait` it goes on within the deadline of that one: what was just applied has to be
 * there, whatever is done about drift later.
 */
export async function correctDriftStep(
  ports: StepPorts,
  assignment: Assigned,
  { persisted, inProcess }: StackProgress,
  wait?: HealthWait,
): Promise<StepResult> {
  const { inventories, effects } = ports;
  const { stackId, deployment } = assignment;
  const startedMs = wait?.startedMs ?? effects.clock.monotonicMs();
  // The marks on the objects name the deployment object that they were applied for, which may be an earlier one of equal contents.
  const objectId = inventories.find(stackId)?.deployment.objectId ?? deployment.objectId;
  const attempt = await prepareAttempt(ports, assignment, { ...deployment, objectId });
  if (wait) attempt.policy = { ...attempt.policy, drift: 'correct' };
  const nothing = { corrected: 0, drift: '', fought: [] };
  const result = await checkStack(ports, attempt, inProcess).catch((error: unknown) => ({ ...passingFailure(error), ...nothing }));
  const { outcome, live, corrected, drift, fought } = result;
  await noteFinishedJobs(inventories, stackId, live);
  const last = persisted.reported;
  const wasWell = !inProcess.failed && last?.deployment_object_id === deployment.objectId && last.status === 'SUCCESS';
  if (wait || !wasWell || outcome.status === 'FAILURE') {
    const now = { ...attempt, deployment };
    return { ...startHealthWait(ports, now, result, { startedMs, deadlineMs: wait?.deadlineMs }), corrected, fought };
  }
  const told = [corrected > 0 ? correctionText(outcome) : '', drift === inProcess.drift ? '' : drift].filter((text) => text !== '');
  const news = told.length > 0 ? { outcome: { ...outcome, summary: told.join('; ') }, startedMs } : {};
  return { ...news, live, corrected, drift, fought, verified: { checkAtMs: checkAtMs(ports, outcome) } };
}
