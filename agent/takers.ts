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
  const open = assigned().filter(
    (other) =>
      other.stackId !== stackId && isAssigned(other) && !isLeaving(other) && applied.get(other.stackId) !== other.deployment.checksum,
  );
  const takers: string[] = [];
  for (const other of open) if (isAssigned(other) && (await annotations.of(other))[TAKES_OVER] === stackId) takers.push(other.stackId);
  return takers;
}
