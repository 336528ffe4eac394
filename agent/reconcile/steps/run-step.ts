import { type Assigned, isAssigned, type StackAssignment } from '../../control-plane/stack-assignment.ts';
import { ManifestError } from '../desired/manifests.ts';
import { applyStep } from './apply-step.ts';
import { checkHealthStep } from './check-health-step.ts';
import { confirmUnchangedStep } from './confirm-unchanged-step.ts';
import { correctDriftStep } from './correct-drift-step.ts';
import type { DueStep } from './next-step.ts';
import { removeStep } from './remove-step.ts';
import type { StackProgress } from './stack-progress.ts';
import type { StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

/** Carries out the one step that is due. Rejects if it could not be tried. */
export async function runStep(ports: StepPorts, step: DueStep, assignment: StackAssignment, progress: StackProgress): Promise<StepResult> {
  switch (step.do) {
    case 'apply':
      return applyStep(ports, withContents(assignment));
    case 'correct-drift':
      return correctDriftStep(ports, withContents(assignment), progress);
    case 'check-health':
      return checkHealthStep(ports, withContents(assignment), progress, step.wait);
    case 'confirm-unchanged':
      return confirmUnchangedStep(ports, withContents(assignment), progress);
    case 'remove':
      return removeStep(ports, assignment, progress, step.because);
  }
}

function withContents(assignment: StackAssignment): Assigned {
  if (!isAssigned(assignment)) throw new ManifestError('the assignment names no deployment object');
  return assignment;
}
