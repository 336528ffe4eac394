import type { Item, Write } from '../../platform/database/database.ts';
import { agentSelectorsKey, fleetTable, type Selector, stackSelectorsKey } from '../fleet-table.ts';

/**
 * Three items decide whether an agent runs a stack: the stack's selectors, the agent's selectors and the explicit target. One
 * serializable read covers them. Each selector is an attribute, so that changes to different selectors need no common version.
 */
const table = fleetTable.name;
const LABEL = 'label:';
const ANNOTATION = 'annotation:';
const REGISTRATION = 'registration:';

const attributeOf = (selector: Selector): [string, unknown] =>
  'label' in selector ? [`${LABEL}${selector.label}`, true] : [`${ANNOTATION}${selector.key}`, selector.value];
const set = (selector: Selector) => ({ set: Object.fromEntries([attributeOf(selector)]) });
const unset = (selector: Selector) => ({ remove: [attributeOf(selector)[0]] });

/** Written with the stack, and there for as long as the stack is. */
export const stackSelectorsNewWrite = (stack: { id: string; generator_id: string }): Write => ({
  table,
  put: { ...stackSelectorsKey(stack.id), type: 'stack-selectors', generator_id: stack.generator_id },
});
export const stackSelectorsRemoveWrite = (stackId: string): Write => ({ table, delete: stackSelectorsKey(stackId) });
export const stackSelectorAddWrite = (stackId: string, selector: Selector): Write => ({
  table,
  update: stackSelectorsKey(stackId),
  ...set(selector),
  if: { exists: true },
});
export const stackSelectorRemoveWrite = (stackId: string, selector: Selector): Write => ({
  table,
  update: stackSelectorsKey(stackId),
  ...unset(selector),
  if: { exists: true },
});

export const agentSelectorAddWrite = (agentId: string, selector: Selector): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  ...set(selector),
});
export const agentSelectorRemoveWrite = (agentId: string, selector: Selector): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  ...unset(selector),
});
/** One write for all, since a transaction writes an item once. */
export const agentRegisterWrite = (agentId: string, generatorIds: readonly string[]): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  set: Object.fromEntries(generatorIds.map((id) => [`${REGISTRATION}${id}`, true])),
});
export const agentDeregisterWrite = (agentId: string, generatorId: string): Write => ({
  table,
  update: agentSelectorsKey(agentId),
  remove: [`${REGISTRATION}${generatorId}`],
});

/** The selectors and registrations that an agent's item says. */
export function readAgentSelectors(item: Item | undefined): { selectors: Selector[]; generators: string[] } {
  const entries = Object.entries(item ?? {});
  return {
    selectors: entries.flatMap(([name, value]): Selector[] => {
      if (name.startsWith(LABEL)) return [{ label: name.slice(LABEL.length) }];
      return name.startsWith(ANNOTATION) ? [{ key: name.slice(ANNOTATION.length), value: String(value) }] : [];
    }),
    generators: entries.flatMap(([name]) => (name.startsWith(REGISTRATION) ? [name.slice(REGISTRATION.length)] : [])),
  };
}

/** The answer of the three items. A stack without its item is gone. */
export function isSelected({ stack, agent, target }: Record<'stack' | 'agent' | 'target', Item | undefined>): boolean {
  if (!stack) return false;
  if (target) return true;
  if (!agent?.[`${REGISTRATION}${stack.generator_id}`]) return false;
  return Object.entries(stack).some(
    ([name, value]) => (name.startsWith(LABEL) || name.startsWith(ANNOTATION)) && Object.hasOwn(agent, name) && agent[name] === value,
  );
}
