import type { AuditEntry } from '../../identity/audit.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { StackRecord } from '../stacks/stack-repository.ts';
import { getStack } from '../stacks/stack-service.ts';
import { announce } from '../targeting/fleet-changed.ts';
import { checksumOf, headWrite, historyWrite, type NewObjectHead, objectNewWrites } from './deployment-object-repository.ts';

export interface NewDeploymentObject {
  yaml_content: string;
  is_deletion_marker: boolean;
}

/**
 * Microseconds since 1970, and above the stack's head even if this machine's clock is behind. It needs no counter that every object
 * would wait for and that goes back when a table is restored, and it stays below 2^53 until the year 2255.
 */
const nextSequence = (nowMs: number, latest = 0): number => Math.max(Math.trunc(nowMs) * 1000, latest + 1);

/** The head of the stack's next deployment object. */
export const newObjectHead = (
  { clock }: FleetPorts,
  stack: { id: string; latest_sequence?: number | undefined },
  { yaml_content, is_deletion_marker }: NewDeploymentObject,
): NewObjectHead => ({
  id: newId(),
  created_at: timestamp(clock),
  stack_id: stack.id,
  sequence_id: nextSequence(clock.nowMs(), stack.latest_sequence),
  yaml_checksum: checksumOf(yaml_content),
  is_deletion_marker,
});

export const objectAudit = (caller: Caller, head: NewObjectHead): AuditEntry => ({
  actor: caller,
  action: 'deployment_object.created',
  resourceType: 'deployment_object',
  resourceId: head.id,
  details: { stack_id: head.stack_id, sequence_id: head.sequence_id, is_deletion_marker: head.is_deletion_marker },
});

class LaterObjectWon extends Error {
  override name = 'LaterObjectWon';
}

/**
 * Stores a deployment object as the stack's newest; if a later one won meanwhile, as history. The head never goes back. Two objects
 * that computed the same number are told apart by their place under the stack: the second computes again from the new head.
 */
export function commitAsNewestOrHistory(
  ports: FleetPorts,
  caller: Caller,
  before: StackRecord,
  input: NewDeploymentObject,
): Promise<NewObjectHead> {
  let read: StackRecord | undefined = before;
  return retryOnConcurrentChange(ports, 'stack', async () => {
    const stack: StackRecord = read ?? (await getStack(ports, before.id));
    read = undefined;
    const head = newObjectHead(ports, stack, input);
    const objects = objectNewWrites(head, input.yaml_content);
    const audit = objectAudit(caller, head);
    const stackChanged = announce({ kind: 'stack-changed', stack_id: stack.id, generator_id: stack.generator_id });
    try {
      await ports.commit({ writes: [...objects, headWrite(head, () => new LaterObjectWon())], audit, events: [stackChanged] });
    } catch (error) {
      if (!(error instanceof LaterObjectWon)) throw error;
      await ports.commit({ writes: [...objects, historyWrite(stack.id, () => fleetError('stack_not_found'))], audit });
    }
    return head;
  });
}
