import { isAssigned, isLeaving, type StackAssignment } from './control-plane/stack-assignment.ts';
import { inParallel } from './in-parallel.ts';
import { countDropped, type StackContents } from './reconcile/desired/stack-contents.ts';
import { deletableIn, type Inventory } from './reconcile/inventory/inventory.ts';
import type { InventoryStore } from './reconcile/inventory/inventory-store.ts';
import type { DeletionGuard } from './reconcile/removal/deletion-guard.ts';

export interface AnnouncementPorts {
  inventories: InventoryStore;
  guard: DeletionGuard;
  contents: StackContents;
  /** For namespaced objects that name none. */
  defaultNamespace: string;
}

const READS_AT_ONCE = 8;

/** Before anything is deleted, the guard knows all that the new assignments are going to delete. */
export async function announceDeletions(ports: AnnouncementPorts, news: readonly StackAssignment[]): Promise<void> {
  const { inventories, guard } = ports;
  const inventoryOf = new Map(inventories.all().map((inventory) => [inventory.stackId, inventory]));
  await inParallel(news, READS_AT_ONCE, async (assignment) => {
    const { stackId, state: assigned, deployment } = assignment;
    const inventory = inventoryOf.get(stackId);
    guard.announce(stackId, `${assigned} ${deployment?.objectId}`, inventory ? await countDeletions(ports, assignment, inventory) : 0);
  });
}

async function countDeletions(
  { contents, defaultNamespace }: AnnouncementPorts,
  assignment: StackAssignment,
  inventory: Inventory,
): Promise<number> {
  const deletable = deletableIn(inventory);
  if (isLeaving(assignment)) return deletable.length;
  if (!isAssigned(assignment)) return 0;
  const { checksum, sequence } = assignment.deployment;
  const { deployment, isApplied } = inventory;
  if ((isApplied && checksum === deployment.checksum) || sequence < deployment.sequence) return 0;
  try {
    return countDropped(deletable, await contents.prefetch(assignment), defaultNamespace);
  } catch {
    // Contents that can't be read drop nothing. The apply meets the same error and reports it.
    return 0;
  }
}
