import { ClusterError, type ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { isAdopted, isOwned, type Owner } from '../desired/ownership.ts';
import { type ClusterEffects, retrying } from '../effects/cluster-effects.ts';
import type { AttemptPorts } from '../removal/attempt-ports.ts';
import { othersInside } from '../removal/others-inside.ts';
import { strangersInside } from '../removal/strangers-inside.ts';

/** The namespaces a stack brings that do not exist yet. */
export async function missingNamespaces(effects: ClusterEffects, desired: readonly Desired[]): Promise<string[]> {
  const names: string[] = [];
  for (const { ref } of desired) {
    if (ref.kind !== 'Namespace' || ref.apiVersion !== 'v1') continue;
    if (!(await retrying(effects, () => effects.cluster.find(ref)))) names.push(ref.name);
  }
  return names;
}

/**
 * Deletes the namespaces that the failed attempt created, and no other: what existed before stays. Answers what to tell about it.
 * A namespace that can't be deleted now stays written down and goes with the next failing attempt.
 */
export async function rollBackNamespaces(ports: AttemptPorts, owner: Owner): Promise<string[]> {
  const { effects, inventories } = ports;
  const inventory = inventories.find(owner.stackId);
  if (!inventory || inventory.createdNamespaces.length === 0) return [];
  const gone: string[] = [];
  const left: string[] = [];
  for (const name of inventory.createdNamespaces) {
    const ref: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', name };
    try {
      const live = await retrying(effects, () => effects.cluster.find(ref));
      const others = live ? Object.values(othersInside(ports, owner.stackId, { ref, live })).flat() : [];
      if (others.length > 0) {
        left.push(MESSAGES.staysForStacks(name, others));
        continue;
      }
      const strangers = live ? await strangersInside(effects, owner.agentId, { ref, live }) : [];
      if (strangers.length > 0) {
        left.push(MESSAGES.staysForStrangers(name, strangers));
        continue;
      }
      if (live && isOwned(live, owner) && !isAdopted(live))
        await retrying(effects, () => effects.cluster.delete(ref, { uid: live.metadata.uid }));
      gone.push(name);
    } catch (error) {
      effects.stop.throwIfAborted();
      left.push(MESSAGES.notRolledBack(name, error instanceof ClusterError ? error.message : MESSAGES.unforeseen()));
    }
  }
  const rolledBack = new Set(gone);
  await inventories.put({
    ...inventory,
    createdNamespaces: inventory.createdNamespaces.filter((name) => !rolledBack.has(name)),
    // The namespaces themselves stay in it until they are seen gone: finalizers may take their time.
    objects: inventory.objects.filter(({ namespace }) => namespace === undefined || !rolledBack.has(namespace)),
  });
  return [...(gone.length > 0 ? [MESSAGES.rolledBack(gone)] : []), ...left];
}
