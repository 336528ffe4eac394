import { ANSWER_BYTES, collectPage } from '../../platform/list-page.ts';
import { yieldToOthers } from '../../platform/slices.ts';
import { lastReportedDeploymentObjects } from '../agent-events/agent-event-repository.ts';
import { findDeploymentObject } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError } from '../fleet-errors.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { assignedHeads } from '../targeting/assignments.ts';

const BODIES_READ_AT_ONCE = 10;

/**
 * Returns the head of each stack that the agent runs, newest first. `incremental` leaves out the heads that the agent has reported on.
 * Deletion markers are included, stacks without a deployment object are not. Some agents compare lists and delete what is missing, so
 * leaving out a stack needs the same care as withdrawing it. All of it is one answer; our own agent fetches bodies one by one instead.
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
  const reported = mode === 'full' ? new Set<string>() : await lastReportedDeploymentObjects(database, agent.id, [...assigned.keys()]);
  const wanted = heads.filter((head) => !reported.has(head.object_id));
  const answer = collectPage<DeploymentObject>(wanted.length);
  for (let from = 0; from < wanted.length; from += BODIES_READ_AT_ONCE) {
    const some = await Promise.all(
      wanted.slice(from, from + BODIES_READ_AT_ONCE).map((head) => findDeploymentObject(database, head.object_id)),
    );
    for (const deploymentObject of some) {
      // An agent that compares lists would take a part of the state for withdrawals, so it gets an error instead of a part.
      if (deploymentObject && !answer.add(deploymentObject)) throw tooLarge();
      await yieldToOthers();
    }
  }
  return answer.items;
}

const tooLarge = () =>
  fleetError('target_state_too_large', {
    message: `the target state does not fit into one answer of ${ANSWER_BYTES} bytes: give the agent fewer or smaller stacks, or ask for its /assignments and fetch their deployment objects one by one`,
  });
