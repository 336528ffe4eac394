import { groupOf, type LiveObject, type Manifest } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import type { Desired } from '../desired/desired.ts';
import type { StackPolicy } from '../desired/stack-policy.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { InventoryStore } from '../inventory/inventory-store.ts';
import { conditionOf } from './object-health-fields.ts';

/** Jobs that the cluster deletes a while after they finished. To make such a one again would run it again. */
const clearsItselfAway = ({ apiVersion, kind, spec }: Manifest): boolean =>
  groupOf(apiVersion) === 'batch' && kind === 'Job' && isObject(spec) && typeof spec.ttlSecondsAfterFinished === 'number';

/** Writes down which Jobs ran to their end and will be cleared away, before anything else is done: none may run again if this process ends. */
export async function noteFinishedJobs(inventories: InventoryStore, stackId: string, live: ReadonlyMap<string, LiveObject>): Promise<void> {
  const inventory = inventories.find(stackId);
  const known = new Set(inventory?.finished);
  const finished = [...live].filter(([, object]) => clearsItselfAway(object) && conditionOf(object, 'Complete')?.status === 'True');
  const news = finished.map(([key]) => key).filter((key) => !known.has(key));
  if (inventory && news.length > 0) await inventories.put({ ...inventory, finished: [...known, ...news] });
}

/** Whether an object that is gone has done its work. If nobody waits for Jobs to finish, each is taken to have. */
export const isDone = (
  { key, manifest }: Desired,
  { inventory, policy }: { inventory: Inventory | undefined; policy: StackPolicy },
): boolean => clearsItselfAway(manifest) && (policy.health === 'apply-only' || inventory?.finished?.includes(key) === true);
