import { ConditionFailed, type Database, type Item, type Key } from '../../platform/database/database.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { expireResultWrite } from '../agent-events/agent-event-repository.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { fleetTable, matchKey, objectHeadKey, objectPk, type Selector } from '../fleet-table.ts';
import type { FleetRemoval } from './fleet-removed.ts';

const table = fleetTable.name;
/** An agent that was away for so long may still report that it removed the object. */
const HEAD_DAYS = 365;

/** One item of a removed stack's partition, with what it leads to. */
export async function clearStackItem(
  { database, clock, eventRetentionDays }: FleetPorts,
  { stack_id: stackId, generator_id }: Extract<FleetRemoval, { kind: 'stack' }>,
  item: Item,
): Promise<void> {
  const removeEdge = (selector: Selector) => remove(database, matchKey(generator_id, selector, stackId));
  switch (item.type) {
    case 'stack-label':
      await removeEdge({ label: String(item.label) });
      break;
    case 'stack-annotation':
      await removeEdge({ key: String(item.key), value: String(item.value) });
      break;
    case 'stack-object':
      await clearObject(database, String(item.id), expiresAt(clock.nowMs(), HEAD_DAYS));
      break;
    case 'targeted-by':
      // It says whom to notify of the removal: it goes with that.
      return;
    case 'reporter':
      await unlessGone(database.write(expireResultWrite(String(item.agent_id), stackId, expiresAt(clock.nowMs(), eventRetentionDays))));
  }
  await remove(database, item);
}

/** The body goes at once. The head expires: agents confirm by an object's id that they removed it. */
async function clearObject(database: Database, id: string, expires_at: number): Promise<void> {
  const { items } = await database.query(table, { pk: objectPk(id), prefix: 'BODY#', fields: [] });
  await Promise.all(items.map((chunk) => remove(database, { ...chunk, pk: objectPk(id) })));
  await unlessGone(database.write({ table, update: objectHeadKey(id), set: { expires_at }, if: { exists: true } }));
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

const remove = (database: Database, { pk, sk }: Key) => database.write({ table, delete: { pk, sk } });
