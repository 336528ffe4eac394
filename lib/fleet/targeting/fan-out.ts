import { occurrence } from '../../platform/events/domain-event.ts';
import { workSegment } from '../../platform/events/segments.ts';
import type { NotifyPorts } from '../fleet-ports.ts';
import { concernedAgents } from './concerned-agents.ts';
import { type FleetChanged, fleetChanged } from './fleet-changed.ts';
import { notifyAgents, prepareEdges } from './notify-agents.ts';

/** A segment takes about two seconds. The consumer's function has many times as long (serverless.yml). */
export const AGENTS_IN_SEGMENT = 2_000;

/** Notifies the agents that a change concerns, a segment of them for each message. */
export async function fanOut(
  ports: NotifyPorts,
  { id, data: { change, ...progress } }: { id: string; data: FleetChanged },
  limit = AGENTS_IN_SEGMENT,
): Promise<void> {
  const { database } = ports;
  await workSegment(ports, id, progress, {
    limit,
    read: (bounds) => concernedAgents(database, change, bounds),
    prepare: () => prepareEdges(database, change),
    work: (agents) => notifyAgents(database, change, agents),
    event: (next) => occurrence(fleetChanged, { change, ...next }),
  });
}
