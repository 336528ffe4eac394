import type { Actor, AuditEntry } from '../../identity/audit.ts';
import { decideFor } from '../../identity/principal.ts';
import type { Write } from '../../platform/database/database.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetTable } from '../fleet-table.ts';
import type { TemplateHead } from './template.ts';
import { findTemplateHead, templateItems, templateRemoveWrites } from './template-repository.ts';

/** Apart from the other verbs, so that the clean-up of a generator brings no engine and no validator along. */
export function checkOwner({ principal }: Caller, { generator_id }: TemplateHead): void {
  const owns = decideFor(principal, { admin: () => true, agent: () => false, generator: ({ id }) => generator_id === id });
  if (!owns) throw fleetError('template_not_owned');
}

export const audited = (
  caller: Actor,
  action: string,
  { id, name, version, generator_id }: Pick<TemplateHead, 'id' | 'name' | 'version' | 'generator_id'>,
): AuditEntry => ({
  actor: caller,
  action,
  resourceType: 'template',
  resourceId: id,
  details: { name, version, generator_id },
});

/** Removes this version. Others of the same name stay, and no later one gets its number. */
export async function removeTemplate(ports: FleetPorts, caller: Caller, head: TemplateHead): Promise<void> {
  checkOwner(caller, head);
  await removeRecord(ports, caller, head);
}

/** Removes a template whose owner was removed by `caller`. It is no error if the template is gone already. */
export async function removeOrphanedTemplate(ports: FleetPorts, caller: Actor, id: string): Promise<void> {
  const head = await findTemplateHead(ports.database, id);
  if (head) await removeRecord(ports, caller, head);
}

async function removeRecord(ports: FleetPorts, caller: Actor, head: TemplateHead): Promise<void> {
  const table = fleetTable.name;
  const [first, ...later] = slicesOf(await templateItems(ports.database, head.id));
  const deletes = (keys: readonly { pk: string; sk: string }[] = []) => keys.map(({ pk, sk }): Write => ({ table, delete: { pk, sk } }));
  const gone = () => fleetError('template_not_found');
  await ports.commit({
    writes: [...templateRemoveWrites(head, gone), ...deletes(first)],
    audit: audited(caller, 'template.deleted', head),
  });
  // Nothing reads these any more: they are found only by the template's home.
  for (const slice of later)
    await ports.commit({ writes: deletes(slice), audit: { unaudited: 'follows from the removal of the template' } });
}

/** A transaction has at most 100 writes. */
function slicesOf<T>(items: readonly T[], size = 90): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
