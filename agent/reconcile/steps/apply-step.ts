import type { Assigned } from '../../control-plane/stack-assignment.ts';
import { applyStack } from '../apply/apply-stack.ts';
import { passingFailure } from '../apply/stack-attempt.ts';
import { noteFinishedJobs } from '../health/finished-jobs.ts';
import { startHealthWait } from './health-result.ts';
import { prepareAttempt, type StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

/** Brings new contents into the cluster. What was refused may have got an annotation since that allows it. */
export async function applyStep(ports: StepPorts, assignment: Assigned): Promise<StepResult> {
  const startedMs = ports.effects.clock.monotonicMs();
  const attempt = await prepareAttempt(ports, assignment, assignment.deployment, { fresh: true });
  const result = await applyStack(ports, attempt).catch(passingFailure);
  await noteFinishedJobs(ports.inventories, assignment.stackId, result.live);
  return startHealthWait(ports, attempt, result, { startedMs });
}
