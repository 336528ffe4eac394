import { timestamp } from '../../platform/clock.ts';
import { type Database, type Item, queryAll } from '../../platform/database/database.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetTable, templateKey, templatePk } from '../fleet-table.ts';
import {
  annotationAddition,
  annotationRemoval,
  labelAddition,
  labelRemoval,
  SELECTOR_LIMITS,
  type SelectorAddition,
  type SelectorChange,
  selectorAudit,
  selectorPrefix,
} from '../targeting/owned-selectors.ts';
import { checkOwner } from './remove-template.ts';
import { TemplateAnnotation, type TemplateHead, TemplateLabel } from './template.ts';

/**
 * Labels and annotations of one version say which stacks it is for: a stack needs all of them. They are looked at when the template is
 * instantiated, and notify nobody.
 */
const table = fleetTable.name;

const itemsOf = (database: Database, id: string, kind: 'label' | 'annotation'): Promise<Item[]> =>
  queryAll(database, table, { pk: templatePk(id), prefix: selectorPrefix('template', kind), limit: SELECTOR_LIMITS[kind] });

export const listTemplateLabels = async ({ database }: FleetPorts, { id }: TemplateHead): Promise<TemplateLabel[]> =>
  (await itemsOf(database, id, 'label')).map((item) => TemplateLabel.parse(item));

export const listTemplateAnnotations = async ({ database }: FleetPorts, { id }: TemplateHead): Promise<TemplateAnnotation[]> =>
  (await itemsOf(database, id, 'annotation')).map((item) => TemplateAnnotation.parse(item));

export const addTemplateLabel = async (ports: FleetPorts, caller: Caller, head: TemplateHead, label: string): Promise<TemplateLabel> =>
  TemplateLabel.parse(await add(ports, caller, head, labelAddition('template', head.id, label)));

export const addTemplateAnnotation = async (
  ports: FleetPorts,
  caller: Caller,
  head: TemplateHead,
  key: string,
  value: string,
): Promise<TemplateAnnotation> =>
  TemplateAnnotation.parse(await add(ports, caller, head, annotationAddition('template', head.id, key, value)));

async function add(ports: FleetPorts, caller: Caller, head: TemplateHead, addition: SelectorAddition): Promise<Item> {
  checkOwner(caller, head);
  const { kind, write } = addition;
  const limit = SELECTOR_LIMITS[kind];
  // Two at once may pass the limit by one, which does no harm.
  if ((await itemsOf(ports.database, head.id, kind)).length >= limit)
    throw fleetError('too_many', { message: `a template has at most ${limit} ${kind}s` });
  const item: Item = { ...addition.item, created_at: timestamp(ports.clock) };
  await ports.commit({
    writes: [
      { ...write, put: item },
      { table, check: templateKey(head.id), if: { exists: true }, orElse: () => fleetError('template_not_found') },
    ],
    audit: selectorAudit(caller, addition, 'added'),
  });
  return item;
}

export const removeTemplateLabel = (ports: FleetPorts, caller: Caller, head: TemplateHead, label: string): Promise<void> =>
  remove(ports, caller, head, labelRemoval('template', head.id, label));

export const removeTemplateAnnotation = async (ports: FleetPorts, caller: Caller, head: TemplateHead, key: string): Promise<void> =>
  remove(ports, caller, head, await annotationRemoval(ports.database, 'template', head.id, key));

async function remove(ports: FleetPorts, caller: Caller, head: TemplateHead, removal: SelectorChange): Promise<void> {
  checkOwner(caller, head);
  await ports.commit({ writes: [removal.write], audit: selectorAudit(caller, removal, 'removed') });
}
