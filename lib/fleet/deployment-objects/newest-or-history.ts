import type { AuditEntry } from '../../identity/audit.ts';
import { timestamp } from '../../platform/clock.ts';
import type { Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { StoredStack } from '../stacks/stack-repository.ts';
import { getStack } from '../stacks/stack-service.ts';
import { announce } from '../targeting/fleet-changed.ts';
import {
  checksumOf,
  deploymentObjectNewWrites,
  headWrite,
  historyWrite,
  type NewDeploymentObjectHead,
} from './deployment-object-repository.ts';

export interface NewDeploymentObject {
  yaml_content: string;
  is_deletion_marker: boolean;
}

/**
 * The next sequence is the time in microseconds since 1970, or one more than the head's if this machine's clock is behind. A counter
 * would make all deployment objects wait for one item, and would go back when a table is restored. The time stays below 2^53 until 2255.
 */
const nextSequence = (nowMs: number, latest = 0): number => Math.max(Math.trunc(nowMs) * 1000, latest + 1);

/** The head of the stack's next deployment object. */
export const newDeploymentObjectHead = (
  { clock }: FleetPorts,
  stack: { id: string; latest_sequence?: number | undefined },
  { yaml_content, is_deletion_marker }: NewDeploymentObject,
): NewDeploymentObjectHead => ({
  id: newId(),
  created_at: timestamp(clock),
  stack_id: stack.id,
  sequence_id: nextSequence(clock.nowMs(), stack.latest_sequence),
  yaml_checksum: checksumOf(yaml_content),
  is_deletion_marker,
});

export const deploymentObjectAudit = (caller: Caller, head: NewDeploymentObjectHead): AuditEntry => ({
  actor: caller,
  action: 'deployment_object.created',
  resourceType: 'deployment_object',
  resourceId: head.id,
  details: { stack_id: head.stack_id, sequence_id: head.sequence_id, is_deletion_marker: head.is_deletion_marker },
});

class LaterHeadExists extends Error {
  override name = 'LaterHeadExists';
}

/**
 * Stores a deployment object as the stack's head or, if the stack got a later head meanwhile, as history. The head never goes back. Two
 * deployment objects with the same sequence would have the same place under the stack: the second write fails, and computes its sequence
 * again from the new head. `more` writes what belongs to the deployment object, with it.
 */
export function commitAsNewestOrHistory(
  ports: FleetPorts,
  caller: Caller,
  before: StoredStack,
  input: NewDeploymentObject,
  more: (head: NewDeploymentObjectHead) => readonly Write[] = () => [],
): Promise<NewDeploymentObjectHead> {
  let read: StoredStack | undefined = before;
  return retryOnConcurrentChange(ports, 'stack', async () => {
    const stack: StoredStack = read ?? (await getStack(ports, before.id));
    read = undefined;
    const head = newDeploymentObjectHead(ports, stack, input);
    const newWrites = [...deploymentObjectNewWrites(head, input.yaml_content), ...more(head)];
    const audit = deploymentObjectAudit(caller, head);
    const stackChanged = announce({ kind: 'stack-changed', stack_id: stack.id, generator_id: stack.generator_id });
    try {
      await ports.commit({ writes: [...newWrites, headWrite(head, () => new LaterHeadExists())], audit, events: [stackChanged] });
    } catch (error) {
      if (!(error instanceof LaterHeadExists)) throw error;
      await ports.commit({ writes: [...newWrites, historyWrite(stack.id, () => fleetError('stack_not_found'))], audit });
    }
    return head;
  });
}
