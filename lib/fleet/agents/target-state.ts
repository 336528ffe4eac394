import { lastReportedObjects } from '../agent-events/agent-event-repository.ts';
import { findObject, wireBytesOf } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError } from '../fleet-errors.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { stacksOfAgent } from '../targeting/matching.ts';

/** One answer holds about so much YAML: it must fit through Lambda's 6 MB. Our own agent fetches bodies one by one instead. */
const TARGET_STATE_BYTES = 5 * 1024 * 1024;

/**
 * The newest object of each stack the agent runs, newest first. `incremental` leaves out those it has reported on. Deletion markers
 * are among them; stacks without an object are not.
 */
export async function targetState({ database }: FleetPorts, agentId: string, mode: 'full' | 'incremental'): Promise<DeploymentObject[]> {
  const stacks = await stacksOfAgent(database, agentId);
  const heads = stacks.flatMap((stack) => stack.latest_object ?? []).sort((a, b) => b.sequence - a.sequence);
  const reported =
    mode === 'full'
      ? new Set<string>()
      : await lastReportedObjects(
          database,
          agentId,
          stacks.map((stack) => stack.id),
        );
  const wanted = heads.filter((head) => !reported.has(head.object_id));
  const objects: DeploymentObject[] = [];
  let bytes = 0;
  for (let from = 0; from < wanted.length; from += 25) {
    const some = await Promise.all(wanted.slice(from, from + 25).map((head) => findObject(database, head.object_id)));
    for (const object of some) {
      if (!object) continue;
      bytes += wireBytesOf(object);
      objects.push(object);
    }
    // A part of the state would look like withdrawals to an agent that compares lists: better none than that.
    if (bytes > TARGET_STATE_BYTES)
      throw fleetError('target_state_too_large', {
        message: `the target state is larger than ${TARGET_STATE_BYTES} bytes: give the agent fewer or smaller stacks, or ask for its /assignments and fetch their deployment objects one by one`,
      });
  }
  return objects;
}
