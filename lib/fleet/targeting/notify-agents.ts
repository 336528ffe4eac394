import { ConditionFailed, type Database } from '../../platform/database/database.ts';
import { eachBounded } from '../../platform/each-bounded.ts';
import { acknowledge, type OutboxItem, relay } from '../../platform/events/outbox.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import type { NotifyPorts } from '../fleet-ports.ts';
import { clearFewNow } from '../removal/clean-up.ts';
import { fleetRemoved } from '../removal/fleet-removed.ts';
import { type ConcernedAgent, concernedAgents } from './concerned-agents.ts';
import { AGENT_FANOUT_QUEUE, type FleetChange, FleetChanged, fleetChanged } from './fleet-changed.ts';
import { refreshMatchEdges, removeMatchEdges } from './match-edges.ts';
import { dropTarget } from './target-service.ts';

/** A change that concerns more agents than this goes through the queue, so that no request waits for many agents. */
const AGENTS_IN_REQUEST = 50;
const AT_ONCE = 50;

/**
 * Runs right after a commit, with the events that it stored. Most changes concern a handful of agents, and these are notified here.
 * Other events are relayed to their queues. If both fail, an event stays in the outbox for the sweep.
 */
export const notifyAfterCommit =
  (ports: NotifyPorts) =>
  async (items: readonly OutboxItem[]): Promise<void> => {
    try {
      const left = await Promise.all(items.map((item) => notifyFewNow(ports, item)));
      const rest = left.flatMap((item) => item ?? []);
      if (rest.length > 0) await relay(rest, ports.outbox);
    } catch (error) {
      ports.log.warn('outbox_left_to_the_sweep', { items: items.length, error });
    }
  };

/** Notifies the agents if they are few. Otherwise returns the event for the queues. */
async function notifyFewNow(ports: NotifyPorts, item: OutboxItem): Promise<OutboxItem | undefined> {
  if (item.event === fleetRemoved.name) return clearFewNow(ports, item);
  if (item.event !== fleetChanged.name) return item;
  const { change, segment } = FleetChanged.parse(item.data);
  if (segment > 1) return item;
  await prepareEdges(ports.database, change);
  const { things: agents, next } = await concernedAgents(ports.database, change, { limit: AGENTS_IN_REQUEST });
  if (next !== undefined) return item;
  await notifyAgents(ports.database, change, agents);
  return acknowledge(item, AGENT_FANOUT_QUEUE, ports.outbox);
}

/**
 * Updates match edges before revisions move, so that a poll after the move reads edges with the change. It also runs before the concerned
 * agents are read: an agent that starts to match after that read then finds edges with the change.
 */
export async function prepareEdges(database: Database, change: FleetChange): Promise<void> {
  switch (change.kind) {
    case 'stack-changed':
      return refreshMatchEdges(database, change.stack_id);
    case 'stack-removed':
      return removeMatchEdges(database, { id: change.stack_id, generator_id: change.generator_id }, change.selectors);
    case 'selector-changed':
    case 'agent-changed':
  }
}

/**
 * Moves the revisions of these agents. Runs after commit: agents that match before the edges are read are notified here; later ones move
 * their own revision. An agent that is notified twice polls once more. An explicit target to a removed stack is removed after its agent is
 * notified, because the target names the agent to notify.
 */
export const notifyAgents = (database: Database, change: FleetChange, agents: readonly ConcernedAgent[]): Promise<void> =>
  eachBounded(agents, AT_ONCE, async ({ id, targeted }) => {
    await moveRevision(database, id, change.stack_id);
    if (targeted && change.kind === 'stack-removed') await dropTarget(database, id, change.stack_id);
  });

async function moveRevision(database: Database, agentId: string, stackId: string | undefined): Promise<void> {
  try {
    await database.write(moveRevisionWrite(agentId, { stackId }));
  } catch (error) {
    // The agent is gone, and its edges are being removed.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
