import * as z from 'zod';
import type { Database, Item, Write } from '../../platform/database/database.ts';
import { agentSelectorsKey, fleetTable, type Selector, stackSelectorsKey } from '../fleet-table.ts';
import type { Registration } from './registration-repository.ts';

/**
 * Three items decide whether an agent runs a stack: the stack's selectors, the agent's selectors and the explicit target. One
 * serializable read covers them. Each selector is an attribute, so that changes to different selectors need no common version.
 *
 * An agent has an edge for each pair of its registrations and its selectors. So a change of selectors has the condition that the
 * registrations are as they were read, and the other way round: `registrations` and `selectors` count the changes of either.
 */
const table = fleetTable.name;
const LABEL = 'label:';
const ANNOTATION = 'annotation:';
const REGISTRATION = 'registration:';

const attributeOf = (selector: Selector): [string, unknown] =>
  'label' in selector ? [`${LABEL}${selector.label}`, true] : [`${ANNOTATION}${selector.key}`, selector.value];
/** The id of the registration tells whether a target was made under it: a target ends with its registration. */
const registered = ({ id, generator_id }: Registration): [string, string] => [`${REGISTRATION}${generator_id}`, id];
const set = (selector: Selector) => ({ set: Object.fromEntries([attributeOf(selector)]) });
const unset = (selector: Selector) => ({ remove: [attributeOf(selector)[0]] });

/** The item is written with the stack, and exists as long as the stack does. */
export const stackSelectorsNewWrite = (stack: { id: string; generator_id: string }): Write => ({
  table,
  put: { ...stackSelectorsKey(stack.id), type: 'stack-selectors', generator_id: stack.generator_id, changes: 0 },
});
/** Fails if a selector was added or removed since the item was read. */
export const stackSelectorsRemoveWrite = (stackId: string, { changes }: StackSelectors): Write => ({
  table,
  delete: stackSelectorsKey(stackId),
  if: { equals: { changes } },
});
const stackSelectorWrite = (stackId: string, change: ReturnType<typeof set> | ReturnType<typeof unset>): Write => ({
  table,
  update: stackSelectorsKey(stackId),
  ...change,
  add: { changes: 1 },
  if: { exists: true },
});
export const stackSelectorAddWrite = (stackId: string, selector: Selector): Write => stackSelectorWrite(stackId, set(selector));
export const stackSelectorRemoveWrite = (stackId: string, selector: Selector): Write => stackSelectorWrite(stackId, unset(selector));

export interface StackSelectors {
  selectors: Selector[];
  changes: number;
}

/** Undefined if the stack is gone. */
export async function findStackSelectors(database: Database, stackId: string): Promise<StackSelectors | undefined> {
  const item = await database.get(table, stackSelectorsKey(stackId));
  return item && { selectors: selectorsIn(item), changes: z.int().parse(item.changes) };
}

/** The item is written with the agent, and exists as long as the agent does. */
export const agentSelectorsNewWrite = (agentId: string, registrations: readonly Registration[]): Write => ({
  table,
  put: {
    ...agentSelectorsKey(agentId),
    type: 'agent-selectors',
    selectors: 0,
    registrations: 0,
    ...Object.fromEntries(registrations.map(registered)),
  },
});
/** Fails if the item was changed since it was read. */
export const agentSelectorsRemoveWrite = (agentId: string, { versions }: AgentSelectors): Write => ({
  table,
  delete: agentSelectorsKey(agentId),
  if: { equals: versions },
});

/** These fail if the agent's registrations were changed since they were read. */
const agentSelectorWrite = (agentId: string, known: AgentSelectors, change: ReturnType<typeof set> | ReturnType<typeof unset>): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  ...change,
  add: { selectors: 1 },
  if: { equals: { registrations: known.versions.registrations } },
});
export const agentSelectorAddWrite = (agentId: string, known: AgentSelectors, selector: Selector): Write =>
  agentSelectorWrite(agentId, known, set(selector));
export const agentSelectorRemoveWrite = (agentId: string, known: AgentSelectors, selector: Selector): Write =>
  agentSelectorWrite(agentId, known, unset(selector));

/** These fail if the agent's selectors were changed since they were read. */
const agentRegistrationWrite = (
  agentId: string,
  known: AgentSelectors,
  change: Pick<Extract<Write, { update: unknown }>, 'set' | 'remove'>,
): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  ...change,
  add: { registrations: 1 },
  if: { equals: { selectors: known.versions.selectors } },
});
export const agentRegisterWrite = (agentId: string, known: AgentSelectors, registration: Registration): Write =>
  agentRegistrationWrite(agentId, known, { set: Object.fromEntries([registered(registration)]) });
export const agentDeregisterWrite = (agentId: string, known: AgentSelectors, generatorId: string): Write =>
  agentRegistrationWrite(agentId, known, { remove: [`${REGISTRATION}${generatorId}`] });

export interface AgentSelectors {
  selectors: Selector[];
  generators: string[];
  /** The ids of the registrations with these generators. */
  registrationIds: ReadonlySet<unknown>;
  versions: { selectors: number; registrations: number };
}
const Versions = z.object({ selectors: z.int(), registrations: z.int() });

/** Undefined if the agent is gone. */
export async function findAgentSelectors(database: Database, agentId: string): Promise<AgentSelectors | undefined> {
  const item = await database.get(table, agentSelectorsKey(agentId));
  return item && { ...readAgentSelectors(item), versions: Versions.parse(item) };
}

const selectorsIn = (item: Item): Selector[] =>
  Object.entries(item).flatMap(([name, value]): Selector[] => {
    if (name.startsWith(LABEL)) return [{ label: name.slice(LABEL.length) }];
    return name.startsWith(ANNOTATION) ? [{ key: name.slice(ANNOTATION.length), value: String(value) }] : [];
  });

/** Reads the selectors and registrations from an agent's item. */
export function readAgentSelectors(item: Item | undefined): Omit<AgentSelectors, 'versions'> {
  const registrations = Object.entries(item ?? {}).filter(([name]) => name.startsWith(REGISTRATION));
  return {
    selectors: item ? selectorsIn(item) : [],
    generators: registrations.map(([name]) => name.slice(REGISTRATION.length)),
    registrationIds: new Set(registrations.map(([, id]) => id)),
  };
}

/** Decides by the three items whether the agent runs the stack. A stack without its item is gone. */
export function isSelected({ stack, agent, target }: Record<'stack' | 'agent' | 'target', Item | undefined>): boolean {
  const registrationId = stack && agent?.[`${REGISTRATION}${stack.generator_id}`];
  if (!stack || !agent || registrationId === undefined) return false;
  if (target?.registration_id === registrationId) return true;
  return Object.entries(stack).some(
    ([name, value]) => (name.startsWith(LABEL) || name.startsWith(ANNOTATION)) && Object.hasOwn(agent, name) && agent[name] === value,
  );
}
