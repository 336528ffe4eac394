import { ConditionFailed, type Database, type Item, type Key } from '../../platform/database/database.ts';
import { expiresAt } from '../../platform/database/table.ts';
import { expireResultWrite } from '../agent-events/agent-event-repository.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { deploymentObjectHeadKey, fleetTable, matchKey, type Selector } from '../fleet-table.ts';
import type { FleetRemoval } from './fleet-removed.ts';

const table = fleetTable.name;
/** An agent that was away for up to this long may still report that it has removed the stack. */
const HEAD_DAYS = 365;

/** Removes one item of a removed stack's partition, after the items that it leads to. */
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
      await clearDeploymentObject(database, String(item.id), expiresAt(clock.nowMs(), HEAD_DAYS));
      break;
    case 'targeted-by':
      // The fan-out of the removal still needs this edge, and removes it after it has notified the agent.
      return;
    case 'reporter':
      await unlessGone(database.write(expireResultWrite(String(item.agent_id), stackId, expiresAt(clock.nowMs(), eventRetentionDays))));
  }
  await remove(database, item);
}

/** Body and provenance go at once. The head expires later: agents confirm a removal by the id of the deployment object. */
async function clearDeploymentObject(database: Database, id: string, expires_at: number): Promise<void> {
  const head = deploymentObjectHeadKey(id);
  const { items } = await database.query(table, { pk: head.pk, fields: [] });
  await Promise.all(items.filter(({ sk }) => sk !== head.sk).map(({ sk }) => remove(database, { pk: head.pk, sk })));
  await unlessGone(database.write({ table, update: head, set: { expires_at }, if: { exists: true } }));
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

const remove = (database: Database, { pk, sk }: Key) => database.write({ table, delete: { pk, sk } });
