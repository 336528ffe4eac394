import * as z from 'zod';
import { type Item, queryAll } from '../../platform/database/database.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentPk, fleetTable, type Selector } from '../fleet-table.ts';
import { agentEdgeRemoveWrites, agentEdgeWrites } from '../targeting/agent-edges.ts';
import {
  annotationAddition,
  annotationRemoval,
  labelAddition,
  labelRemoval,
  SELECTOR_LIMITS,
  type SelectorAddition,
  type SelectorChange,
  selectorAudit,
  selectorNotFound,
  selectorPrefix,
} from '../targeting/owned-selectors.ts';
import { agentSelectorAddWrite, agentSelectorRemoveWrite, findAgentSelectors } from '../targeting/selection.ts';
import { commitSelectionChange } from '../targeting/selection-change.ts';
import { findAgentRecord } from './agent-repository.ts';
import { LIMITS } from './agent-rules.ts';

export const AgentLabel = z.object({ id: z.uuid(), agent_id: z.uuid(), label: z.string() }).meta({ id: 'AgentLabel' });
export type AgentLabel = z.infer<typeof AgentLabel>;
export const AgentAnnotation = z
  .object({ id: z.uuid(), agent_id: z.uuid(), key: z.string(), value: z.string() })
  .meta({ id: 'AgentAnnotation' });
export type AgentAnnotation = z.infer<typeof AgentAnnotation>;

export const listAgentLabels = async (ports: FleetPorts, agentId: string): Promise<AgentLabel[]> =>
  (await itemsOf(ports, agentId, 'label')).map((item) => AgentLabel.parse(item));

export const listAgentAnnotations = async (ports: FleetPorts, agentId: string): Promise<AgentAnnotation[]> =>
  (await itemsOf(ports, agentId, 'annotation')).map((item) => AgentAnnotation.parse(item));

/** An unknown or removed agent has no labels. */
async function itemsOf({ database }: FleetPorts, agentId: string, kind: 'label' | 'annotation'): Promise<Item[]> {
  const where = { pk: agentPk(agentId), prefix: selectorPrefix('agent', kind), limit: SELECTOR_LIMITS[kind] };
  const [agent, items] = await Promise.all([findAgentRecord(database, agentId), queryAll(database, fleetTable.name, where)]);
  return agent ? items : [];
}

export const addAgentLabel = async (ports: FleetPorts, caller: Caller, agentId: string, label: string): Promise<AgentLabel> =>
  AgentLabel.parse(await add(ports, caller, labelAddition('agent', agentId, label)));

export const addAgentAnnotation = async (
  ports: FleetPorts,
  caller: Caller,
  agentId: string,
  key: string,
  value: string,
): Promise<AgentAnnotation> => AgentAnnotation.parse(await add(ports, caller, annotationAddition('agent', agentId, key, value)));

const add = (ports: FleetPorts, caller: Caller, addition: SelectorAddition): Promise<Item> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const { ownerId: agentId, kind, selector } = addition;
    const known = await findAgentSelectors(ports.database, agentId);
    const unknown = () => foreignKeyViolation(`agent_${kind}s_agent_id`, 'agent_id: no such agent');
    if (!known) throw unknown();
    checkRoom(known.selectors, kind);
    await commitSelectionChange(ports, {
      agentId,
      writes: [addition.write, agentSelectorAddWrite(agentId, known, selector), ...agentEdgeWrites(agentId, known.generators, [selector])],
      revision: { orElse: unknown },
      audit: selectorAudit(caller, addition, 'added'),
    });
    return addition.item;
  });

/** A race may exceed the limit by a few selectors. That does no harm: one transaction still holds a registration's edges for all of them. */
function checkRoom(selectors: readonly Selector[], kind: 'label' | 'annotation'): void {
  const limit = SELECTOR_LIMITS[kind];
  const same = selectors.filter((selector) => 'label' in selector === (kind === 'label'));
  if (same.length >= limit) throw fleetError('too_many', { message: `an agent has at most ${limit} ${kind}s` });
  if (selectors.length >= LIMITS.selectors) {
    throw fleetError('too_many', { message: `an agent has at most ${LIMITS.selectors} labels and annotations together` });
  }
}

export const removeAgentLabel = async (ports: FleetPorts, caller: Caller, agentId: string, label: string): Promise<void> =>
  remove(ports, caller, labelRemoval('agent', agentId, label));

export const removeAgentAnnotation = async (ports: FleetPorts, caller: Caller, agentId: string, key: string): Promise<void> =>
  remove(ports, caller, await annotationRemoval(ports.database, 'agent', agentId, key));

const remove = (ports: FleetPorts, caller: Caller, removal: SelectorChange): Promise<void> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const { ownerId: agentId, selector } = removal;
    const known = await findAgentSelectors(ports.database, agentId);
    // If the agent is gone, so is the label or annotation.
    if (!known) throw selectorNotFound(removal);
    await commitSelectionChange(ports, {
      agentId,
      writes: [
        removal.write,
        agentSelectorRemoveWrite(agentId, known, selector),
        ...agentEdgeRemoveWrites(agentId, known.generators, [selector]),
      ],
      revision: { orElse: () => selectorNotFound(removal) },
      audit: selectorAudit(caller, removal, 'removed'),
    });
  });
