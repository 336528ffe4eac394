import type { AuditEntry } from '../../identity/audit.ts';
import type { Database, Item, Key, Write } from '../../platform/database/database.ts';
import { newId } from '../../platform/ids.ts';
import { fleetError, uniqueViolation } from '../fleet-errors.ts';
import type { Caller } from '../fleet-ports.ts';
import {
  agentAnnotationKey,
  agentLabelKey,
  fleetTable,
  type Selector,
  stackAnnotationKey,
  stackLabelKey,
  templateAnnotationKey,
  templateLabelKey,
} from '../fleet-table.ts';
import { checkAnnotation, checkLabel, isSelectorText } from './selector.ts';

/** Labels and annotations of agents, stacks and templates follow the same rules. */
export type SelectorOwner = 'agent' | 'stack' | 'template';
type Kind = 'label' | 'annotation';

export const SELECTOR_LIMITS = { label: 64, annotation: 64 } as const;

const KEYS: Record<SelectorOwner, Record<Kind, (ownerId: string, text: string) => Key>> = {
  agent: { label: agentLabelKey, annotation: agentAnnotationKey },
  stack: { label: stackLabelKey, annotation: stackAnnotationKey },
  template: { label: templateLabelKey, annotation: templateAnnotationKey },
};
export const selectorPrefix = (owner: SelectorOwner, kind: Kind): string => KEYS[owner][kind]('', '').sk;

/** A label or an annotation that is added to its owner or removed from it. The writes concern only its own item. */
export interface SelectorChange {
  owner: SelectorOwner;
  ownerId: string;
  kind: Kind;
  selector: Selector;
  write: Write;
}
export interface SelectorAddition extends SelectorChange {
  item: Item;
}

function addition(owner: SelectorOwner, ownerId: string, kind: Kind, key: Key, selector: Selector): SelectorAddition {
  const item: Item = { ...key, type: `${owner}-${kind}`, id: newId(), [`${owner}_id`]: ownerId, ...selector };
  const [by, what] = kind === 'label' ? ['label', 'this label'] : ['key', 'an annotation with this key'];
  const taken = () => uniqueViolation(`${owner}_${kind}s_${owner}_id_${by}`, `the ${owner} has ${what} already`);
  const write: Write = { table: fleetTable.name, put: item, if: { exists: false }, orElse: taken };
  return { owner, ownerId, kind, selector, item, write };
}

export function labelAddition(owner: SelectorOwner, ownerId: string, label: string): SelectorAddition {
  checkLabel(label);
  return addition(owner, ownerId, 'label', KEYS[owner].label(ownerId, label), { label });
}

export function annotationAddition(owner: SelectorOwner, ownerId: string, key: string, value: string): SelectorAddition {
  checkAnnotation(owner, key, value);
  return addition(owner, ownerId, 'annotation', KEYS[owner].annotation(ownerId, key), { key, value });
}

export const selectorNotFound = ({ owner, kind }: Pick<SelectorChange, 'owner' | 'kind'>) => fleetError(`${owner}_${kind}_not_found`);

export function labelRemoval(owner: SelectorOwner, ownerId: string, label: string): SelectorChange {
  const gone = () => selectorNotFound({ owner, kind: 'label' });
  if (!isSelectorText(label)) throw gone();
  const write: Write = { table: fleetTable.name, delete: KEYS[owner].label(ownerId, label), if: { exists: true }, orElse: gone };
  return { owner, ownerId, kind: 'label', selector: { label }, write };
}

/** Reads the value, which is a part of the selector. */
export async function annotationRemoval(database: Database, owner: SelectorOwner, ownerId: string, key: string): Promise<SelectorChange> {
  const gone = () => selectorNotFound({ owner, kind: 'annotation' });
  const place = KEYS[owner].annotation(ownerId, key);
  const item = isSelectorText(key) ? await database.get(fleetTable.name, place) : undefined;
  if (!item) throw gone();
  const write: Write = { table: fleetTable.name, delete: place, if: { equals: { id: item.id } }, orElse: gone };
  return { owner, ownerId, kind: 'annotation', selector: { key, value: String(item.value) }, write };
}

export const selectorAudit = (caller: Caller, change: SelectorChange, verb: 'added' | 'removed'): AuditEntry => ({
  actor: caller,
  action: `${change.owner}.${change.kind}_${verb}`,
  resourceType: change.owner,
  resourceId: change.ownerId,
  details: change.selector,
});
