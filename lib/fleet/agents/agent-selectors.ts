import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { fleetError, foreignKeyViolation, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentAnnotationKey, agentLabelKey, agentPk, fleetTable, type Selector } from '../fleet-table.ts';
import { agentEdgeRemoveWrites, agentEdgeWrites } from '../targeting/agent-edges.ts';
import { agentSelectorAddWrite, agentSelectorRemoveWrite, findAgentSelectors } from '../targeting/selection.ts';
import { commitSelectionChange } from '../targeting/selection-change.ts';
import { checkAnnotation, checkLabel, isSelectorText } from '../targeting/selector.ts';
import { findAgentRecord } from './agent-repository.ts';
import { LIMITS } from './agent-rules.ts';

const table = fleetTable.name;

export const AgentLabel = z.object({ id: z.uuid(), agent_id: z.uuid(), label: z.string() }).meta({ id: 'AgentLabel' });
export type AgentLabel = z.infer<typeof AgentLabel>;
export const AgentAnnotation = z
  .object({ id: z.uuid(), agent_id: z.uuid(), key: z.string(), value: z.string() })
  .meta({ id: 'AgentAnnotation' });
export type AgentAnnotation = z.infer<typeof AgentAnnotation>;

/** An unknown agent has none, nor has one that was removed. */
export const listAgentLabels = async ({ database }: FleetPorts, agentId: string): Promise<AgentLabel[]> =>
  (await itemsOf(database, agentId, agentLabelKey('', '').sk, LIMITS.labels)).map((item) => AgentLabel.parse(item));

export const listAgentAnnotations = async ({ database }: FleetPorts, agentId: string): Promise<AgentAnnotation[]> =>
  (await itemsOf(database, agentId, agentAnnotationKey('', '').sk, LIMITS.annotations)).map((item) => AgentAnnotation.parse(item));

async function itemsOf(database: Database, agentId: string, prefix: string, limit: number): Promise<Item[]> {
  const [agent, items] = await Promise.all([
    findAgentRecord(database, agentId),
    queryAll(database, table, { pk: agentPk(agentId), prefix, limit }),
  ]);
  return agent ? items : [];
}

export async function addAgentLabel(ports: FleetPorts, caller: Caller, agentId: string, label: string): Promise<AgentLabel> {
  checkLabel(label);
  const value: AgentLabel = { id: newId(), agent_id: agentId, label };
  const taken = () => uniqueViolation('agent_labels_agent_id_label', 'the agent has this label already');
  const put = { ...agentLabelKey(agentId, label), type: 'agent-label', ...value };
  await add(ports, caller, agentId, { put, taken, selector: { label }, what: 'label' });
  return value;
}

export async function addAgentAnnotation(
  ports: FleetPorts,
  caller: Caller,
  agentId: string,
  key: string,
  value: string,
): Promise<AgentAnnotation> {
  checkAnnotation('agent', key, value);
  const annotation: AgentAnnotation = { id: newId(), agent_id: agentId, key, value };
  const taken = () => uniqueViolation('agent_annotations_agent_id_key', 'the agent has an annotation with this key already');
  const put = { ...agentAnnotationKey(agentId, key), type: 'agent-annotation', ...annotation };
  await add(ports, caller, agentId, { put, taken, selector: { key, value }, what: 'annotation' });
  return annotation;
}

interface Addition {
  put: Item;
  taken: () => Error;
  selector: Selector;
  what: 'label' | 'annotation';
}

const add = (ports: FleetPorts, caller: Caller, agentId: string, { put, taken, selector, what }: Addition): Promise<void> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const known = await findAgentSelectors(ports.database, agentId);
    const unknown = () => foreignKeyViolation(`agent_${what}s_agent_id`, 'agent_id: no such agent');
    if (!known) throw unknown();
    checkRoom(known.selectors, what);
    await commitSelectionChange(ports, {
      agentId,
      writes: [
        { table, put, if: { exists: false }, orElse: taken },
        agentSelectorAddWrite(agentId, known, selector),
        ...agentEdgeWrites(agentId, known.generators, [selector]),
      ],
      revision: { orElse: unknown },
      audit: { actor: caller, action: `agent.${what}_added`, resourceType: 'agent', resourceId: agentId, details: selector },
    });
  });

/** A few more by a race do no harm: registering writes an edge for each of them, in one transaction. */
function checkRoom(selectors: readonly Selector[], what: 'label' | 'annotation'): void {
  const limit = LIMITS[`${what}s`];
  const same = selectors.filter((selector) => 'label' in selector === (what === 'label'));
  if (same.length >= limit) throw fleetError('too_many', { message: `an agent has at most ${limit} ${what}s` });
  if (selectors.length >= LIMITS.selectors) {
    throw fleetError('too_many', { message: `an agent has at most ${LIMITS.selectors} labels and annotations together` });
  }
}

export async function removeAgentLabel(ports: FleetPorts, caller: Caller, agentId: string, label: string): Promise<void> {
  const gone = () => fleetError('agent_label_not_found');
  if (!isSelectorText(label)) throw gone();
  const drop: Write = { table, delete: agentLabelKey(agentId, label), if: { exists: true }, orElse: gone };
  await remove(ports, caller, agentId, { drop, gone, selector: { label }, what: 'label' });
}

export async function removeAgentAnnotation(ports: FleetPorts, caller: Caller, agentId: string, key: string): Promise<void> {
  const gone = () => fleetError('agent_annotation_not_found');
  const item = isSelectorText(key) && (await ports.database.get(table, agentAnnotationKey(agentId, key)));
  if (!item) throw gone();
  const { id, value } = AgentAnnotation.parse(item);
  const drop: Write = { table, delete: agentAnnotationKey(agentId, key), if: { equals: { id } }, orElse: gone };
  await remove(ports, caller, agentId, { drop, gone, selector: { key, value }, what: 'annotation' });
}

interface Removal {
  drop: Write;
  gone: () => Error;
  selector: Selector;
  what: 'label' | 'annotation';
}

const remove = (ports: FleetPorts, caller: Caller, agentId: string, { drop, gone, selector, what }: Removal): Promise<void> =>
  retryOnConcurrentChange(ports, 'agent', async () => {
    const known = await findAgentSelectors(ports.database, agentId);
    if (!known) throw gone();
    await commitSelectionChange(ports, {
      agentId,
      writes: [drop, agentSelectorRemoveWrite(agentId, known, selector), ...agentEdgeRemoveWrites(agentId, known.generators, [selector])],
      revision: { orElse: gone },
      audit: { actor: caller, action: `agent.${what}_removed`, resourceType: 'agent', resourceId: agentId, details: selector },
    });
  });
