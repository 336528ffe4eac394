import * as z from 'zod';
import { ConditionFailed, queryAll, type Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { fleetError, foreignKeyViolation, uniqueViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { agentAnnotationKey, agentLabelKey, agentMatchKey, agentPk, fleetTable, type Selector } from '../fleet-table.ts';
import { agentSelectorAddWrite, agentSelectorRemoveWrite } from '../targeting/selection.ts';
import { checkAnnotation, checkLabel, isSelectorText } from '../targeting/selector.ts';
import { findAgentRecord, moveRevisionWrite } from './agent-repository.ts';
import { LIMITS } from './agent-rules.ts';

const table = fleetTable.name;

export const AgentLabel = z.object({ id: z.uuid(), agent_id: z.uuid(), label: z.string() }).meta({ id: 'AgentLabel' });
export type AgentLabel = z.infer<typeof AgentLabel>;
export const AgentAnnotation = z
  .object({ id: z.uuid(), agent_id: z.uuid(), key: z.string(), value: z.string() })
  .meta({ id: 'AgentAnnotation' });
export type AgentAnnotation = z.infer<typeof AgentAnnotation>;

/** An unknown agent has none. */
export async function listAgentLabels({ database }: FleetPorts, agentId: string): Promise<AgentLabel[]> {
  const items = await queryAll(database, table, { pk: agentPk(agentId), prefix: agentLabelKey('', '').sk, limit: LIMITS.labels });
  return items.map((item) => AgentLabel.parse(item));
}

export async function listAgentAnnotations({ database }: FleetPorts, agentId: string): Promise<AgentAnnotation[]> {
  const items = await queryAll(database, table, { pk: agentPk(agentId), prefix: agentAnnotationKey('', '').sk, limit: LIMITS.annotations });
  return items.map((item) => AgentAnnotation.parse(item));
}

export async function addAgentLabel(at: FleetPorts, actor: Caller, agentId: string, label: string): Promise<AgentLabel> {
  checkLabel(label);
  const value: AgentLabel = { id: newId(), agent_id: agentId, label };
  const put: Write = {
    table,
    put: { ...agentLabelKey(agentId, label), type: 'agent-label', ...value },
    if: { exists: false },
    orElse: labelTaken,
  };
  await add(at, actor, agentId, put, { label }, 'label');
  return value;
}

export async function addAgentAnnotation(
  at: FleetPorts,
  actor: Caller,
  agentId: string,
  key: string,
  value: string,
): Promise<AgentAnnotation> {
  checkAnnotation('agent', key, value);
  const annotation: AgentAnnotation = { id: newId(), agent_id: agentId, key, value };
  const put: Write = {
    table,
    put: { ...agentAnnotationKey(agentId, key), type: 'agent-annotation', ...annotation },
    if: { exists: false },
    orElse: keyTaken,
  };
  await add(at, actor, agentId, put, { key, value }, 'annotation');
  return annotation;
}

const labelTaken = () => uniqueViolation('agent_labels_agent_id_label', 'the agent has this label already');
const keyTaken = () => uniqueViolation('agent_annotations_agent_id_key', 'the agent has an annotation with this key already');

async function add(
  { database, commit }: FleetPorts,
  actor: Caller,
  agentId: string,
  put: Write,
  selector: Selector,
  what: 'label' | 'annotation',
) {
  const count = `${what}_count`;
  const limit = LIMITS[`${what}s`];
  try {
    await commit({
      writes: [
        put,
        { table, put: { ...agentMatchKey(selector, agentId), type: 'agent-match' } },
        agentSelectorAddWrite(agentId, selector),
        moveRevisionWrite(agentId, { add: { [count]: 1 }, below: { [count]: limit } }),
      ],
      audit: { actor, action: `agent.${what}_added`, resourceType: 'agent', resourceId: agentId, details: selector },
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    if (!(await findAgentRecord(database, agentId))) throw foreignKeyViolation(`agent_${what}s_agent_id`, 'agent_id: no such agent');
    throw fleetError('too_many', { message: `an agent has at most ${limit} ${what}s` });
  }
}

export async function removeAgentLabel(at: FleetPorts, actor: Caller, agentId: string, label: string): Promise<void> {
  const item = isSelectorText(label) && (await at.database.get(table, agentLabelKey(agentId, label)));
  if (!item) throw fleetError('agent_label_not_found');
  const gone = (): Error => fleetError('agent_label_not_found');
  await remove(
    at,
    actor,
    agentId,
    { table, delete: agentLabelKey(agentId, label), if: { exists: true }, orElse: gone },
    { label },
    'label',
  );
}

export async function removeAgentAnnotation(at: FleetPorts, actor: Caller, agentId: string, key: string): Promise<void> {
  const item = isSelectorText(key) && (await at.database.get(table, agentAnnotationKey(agentId, key)));
  if (!item) throw fleetError('agent_annotation_not_found');
  const { id, value } = AgentAnnotation.parse(item);
  const gone = (): Error => fleetError('agent_annotation_not_found');
  await remove(
    at,
    actor,
    agentId,
    { table, delete: agentAnnotationKey(agentId, key), if: { equals: { id } }, orElse: gone },
    { key, value },
    'annotation',
  );
}

const remove = ({ commit }: FleetPorts, actor: Caller, agentId: string, drop: Write, selector: Selector, what: 'label' | 'annotation') =>
  commit({
    writes: [
      drop,
      { table, delete: agentMatchKey(selector, agentId) },
      agentSelectorRemoveWrite(agentId, selector),
      // If the agent is gone, so is the label or annotation.
      moveRevisionWrite(agentId, { add: { [`${what}_count`]: -1 }, orElse: () => fleetError(`agent_${what}_not_found`) }),
    ],
    audit: { actor, action: `agent.${what}_removed`, resourceType: 'agent', resourceId: agentId, details: selector },
  });
