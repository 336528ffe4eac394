import type { Assigned } from '../../control-plane/stack-assignment.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { StackProgress } from './stack-progress.ts';
import type { StepPorts } from './step-ports.ts';
import type { StepResult } from './step-result.ts';

/** For another deployment object with the very contents that are in the cluster. It looks at nothing, so the next look stays due. */
export function confirmUnchangedStep({ inventories, guard }: StepPorts, { stackId }: Assigned, { inProcess }: StackProgress): StepResult {
  guard.done(stackId);
  const objects = (inventories.find(stackId)?.objects ?? []).map((ref) => objectOutcome(ref, { action: 'unchanged' }));
  return { outcome: { status: 'SUCCESS', summary: MESSAGES.unchanged(), objects }, verified: { checkAtMs: inProcess.checkAtMs } };
}
