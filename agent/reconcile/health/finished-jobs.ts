import { groupOf, type LiveObject, type Manifest } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import type { Desired } from '../desired/desired.ts';
import type { StackPolicy } from '../desired/stack-policy.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { InventoryStore } from '../inventory/inventory-store.ts';
import { conditionOf } from './object-health-fields.ts';

/** So soon after its end a Job may be gone before anybody has seen that it finished. */
const SEEN_WITHIN_SECONDS = 60;

/** How long after its end the cluster deletes a Job; undefined for all else. To make such a one again would run it again. */
const secondsToLive = ({ apiVersion, kind, spec }: Manifest): number | undefined =>
  groupOf(apiVersion) === 'batch' && kind === 'Job' && isObject(spec) && typeof spec.ttlSecondsAfterFinished === 'number'
    ? spec.ttlSecondsAfterFinished
    : undefined;

const clearsItselfAway = (manifest: Manifest): boolean => secondsToLive(manifest) !== undefined;

/** Whether an object that was applied and is gone is taken to have done its work, though nobody has seen it: it never runs twice. */
export const goesUnseen = (manifest: Manifest): boolean => (secondsToLive(manifest) ?? SEEN_WITHIN_SECONDS) < SEEN_WITHIN_SECONDS;

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
): boolean =>
  clearsItselfAway(manifest) && (policy.health === 'apply-only' || goesUnseen(manifest) || inventory?.finished?.includes(key) === true);
