import { TAKES_OVER } from '../lib/fleet/protocol/takes-over.ts';
import { isAssigned, isLeaving, type StackAssignment } from './control-plane/stack-assignment.ts';
import type { StackAnnotations } from './reconcile/desired/stack-annotations.ts';
import type { InventoryStore } from './reconcile/inventory/inventory-store.ts';

interface TakersPorts {
  assigned: () => readonly StackAssignment[];
  inventories: Pick<InventoryStore, 'all'>;
  annotations: StackAnnotations;
}

/**
 * The stacks that may take objects over from one and whose contents are still to be applied. Both change at about the same time when an object
 * moves, and the agent works on several stacks at once. Reads the annotations of stacks with new contents, which are read for these anyway.
 */
export async function takersOf({ assigned, inventories, annotations }: TakersPorts, stackId: string): Promise<string[]> {
  const applied = new Map(inventories.all().map(({ stackId: id, isApplied, deployment }) => [id, isApplied && deployment.checksum]));
  const open = assigned()
    .filter(isAssigned)
    .filter((other) => other.stackId !== stackId && !isLeaving(other) && applied.get(other.stackId) !== other.deployment.checksum);
  const takers: string[] = [];
  for (const other of open) {
    const takesOver = (await annotations.of(other))[TAKES_OVER];
    // What could not be read may say so: better to wait than to delete what another stack is about to have.
    if (takesOver === stackId || !annotations.areKnown(other)) takers.push(other.stackId);
  }
  return takers;
}
