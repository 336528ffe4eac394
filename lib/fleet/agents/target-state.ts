import { ANSWER_BYTES, collectPage } from '../../platform/list-page.ts';
import { yieldToOthers } from '../../platform/slices.ts';
import { lastReportedObjects } from '../agent-events/agent-event-repository.ts';
import { findObject } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError } from '../fleet-errors.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { assignedHeads } from '../targeting/assignments.ts';

const OBJECTS_READ_AT_ONCE = 10;

/**
 * The newest object of each stack the agent runs, newest first. `incremental` leaves out those it has reported on. Deletion markers
 * are among them; stacks without an object are not. Agents that compare lists take a gap for an order to delete, so that a stack is
 * left out as carefully as it is withdrawn. All of it is one answer; our own agent fetches bodies one by one instead.
 */
export async function targetState(
  ports: FleetPorts,
  agent: { id: string; status?: string },
  { mode, own }: { mode: 'full' | 'incremental'; own: boolean },
): Promise<DeploymentObject[]> {
  const { database } = ports;
  const assigned = await assignedHeads(ports, agent, { own });
  if (!assigned) throw tooLarge();
  const heads = [...assigned.values()].sort((a, b) => b.sequence - a.sequence);
  const reported = mode === 'full' ? new Set<string>() : await lastReportedObjects(database, agent.id, [...assigned.keys()]);
  const wanted = heads.filter((head) => !reported.has(head.object_id));
  const answer = collectPage<DeploymentObject>(wanted.length);
  for (let from = 0; from < wanted.length; from += OBJECTS_READ_AT_ONCE) {
    const some = await Promise.all(wanted.slice(from, from + OBJECTS_READ_AT_ONCE).map((head) => findObject(database, head.object_id)));
    for (const object of some) {
      // A part of the state would look like withdrawals to an agent that compares lists: better none than that.
      if (object && !answer.add(object)) throw tooLarge();
      await yieldToOthers();
    }
  }
  return answer.items;
}

const tooLarge = () =>
  fleetError('target_state_too_large', {
    message: `the target state does not fit into one answer of ${ANSWER_BYTES} bytes: give the agent fewer or smaller stacks, or ask for its /assignments and fetch their deployment objects one by one`,
  });
