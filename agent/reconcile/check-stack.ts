import type { ObjectOutcome } from '../../lib/fleet/protocol/agent-protocol.ts';
import type { LiveObject } from '../cluster/cluster.ts';
import { applyStages } from './apply-stages.ts';
import { applyAll } from './cluster-effects.ts';
import type { Desired } from './desired.ts';
import { keysOf, union } from './inventory.ts';
import { difference } from './object-difference.ts';
import { objectKey } from './object-key.ts';
import { observe } from './observe.ts';
import { objectOutcome } from './outcome.ts';
import { ownedBy, ownedBySomeone, USER_ANNOTATION } from './ownership.ts';
import { plan } from './plan.ts';
import { pruneStages, withPrune } from './prune.ts';
import { type AttemptPorts, type AttemptResult, failure, type StackAttempt } from './stack-attempt.ts';

export type CheckResult = AttemptResult & { corrected: number };

/**
 * Holds a stack whose contents were applied against the cluster: what is gone comes back, what others changed is put right, what was
 * left over from a prune goes. An object at the resourceVersion seen last is not looked at again.
 */
export async function checkStack(ports: AttemptPorts, attempt: StackAttempt, seen: ReadonlyMap<string, string>): Promise<CheckResult> {
  const { effects, inventories } = ports;
  const { owner, desired, inventory, policy } = attempt;
  if (!inventory) throw new Error('a stack without an inventory was not applied');
  const wanted = new Set(desired.map(({ key }) => key));
  const leftovers = inventory.objects.filter((ref) => !wanted.has(objectKey(ref)));
  const watched = policy.drift === 'ignore' ? [] : desired;

  const live = await observe(
    effects.cluster,
    watched.map(({ ref }) => ref),
    ownedBy(owner),
  );
  const missing = watched.filter(({ key }) => !live.has(key)).map(({ ref }) => ref);
  // An object that seems to be gone may have been taken over by someone else.
  for (const [key, object] of await observe(effects.cluster, [...missing, ...leftovers], ownedBySomeone)) live.set(key, object);

  const suspects = watched.filter((object) => isSuspect(object, live.get(object.key), seen));
  const { drifted, failed } = await driftOf(ports, suspects, live);
  if (failed.length > 0) return { ...failure('drift could not be looked for', failed), corrected: 0 };

  const planned = plan({
    owner,
    desired: watched,
    inventory: [...watched.map(({ ref }) => ref), ...leftovers],
    live,
    apply: { drifted: new Set(drifted.keys()) },
    pruneReason: 'left the stack',
  });
  if (planned.refused.length > 0) {
    return {
      ...failure(
        'objects of the stack were taken over',
        planned.refused.map(({ ref, because }) => objectOutcome(ref, { action: 'failed', because: 'foreign', message: because })),
      ),
      corrected: 0,
    };
  }
  const applied = await applyStages(
    effects,
    planned.stages.filter(({ name }) => name !== 'prune'),
  );
  const pruned = await pruneStages(ports, owner, planned);
  if (leftovers.length > 0) {
    const objects = union(
      pruned.survivors,
      desired.map(({ ref }) => ref),
    );
    if (keysOf(objects).size !== keysOf(inventory.objects).size) await inventories.put({ ...inventory, objects });
  }
  for (const [key, object] of applied.live) live.set(key, object);
  const corrections = applied.outcomes.map((outcome) => withPath(outcome, drifted));
  const unchanged = planned.left
    .filter(({ because }) => because === 'unchanged')
    .map(({ ref }) => objectOutcome(ref, { action: 'unchanged' }));
  const objects = [...corrections, ...pruned.outcomes, ...unchanged];
  const corrected = corrections.filter(({ action }) => action === 'corrected').length;
  if (applied.failed) return { outcome: { status: 'FAILURE', summary: 'drift could not be corrected', objects }, live, corrected };
  return {
    outcome: withPrune(pruned, objects),
    live,
    corrected,
  };
}

function isSuspect({ key, manifest }: Desired, live: LiveObject | undefined, seen: ReadonlyMap<string, string>): boolean {
  if (!live || seen.get(key) === live.metadata.resourceVersion) return false;
  return [manifest, live].every(({ metadata }) => metadata.annotations?.[USER_ANNOTATION.drift] !== 'ignore');
}

/** Asks the API server what an apply would make of each suspect: defaults and other managers' fields are then no difference. */
async function driftOf({ effects }: AttemptPorts, suspects: readonly Desired[], live: ReadonlyMap<string, LiveObject>) {
  const drifted = new Map<string, string>();
  const failed: ObjectOutcome[] = [];
  for (const result of await applyAll(effects, suspects, { dryRun: true })) {
    const { key, ref } = result.object;
    if ('error' in result) {
      failed.push(objectOutcome(ref, { action: 'failed', because: 'dry run', message: result.error.message }));
      continue;
    }
    const existing = live.get(key);
    const path = existing && difference({ ...existing, apiVersion: ref.apiVersion, kind: ref.kind }, result.live);
    if (path) drifted.set(key, path);
  }
  return { drifted, failed };
}

function withPath(outcome: ObjectOutcome, drifted: ReadonlyMap<string, string>): ObjectOutcome {
  const { api_version: apiVersion, kind, namespace, name, action } = outcome;
  const path = drifted.get(objectKey({ apiVersion, kind, ...(namespace !== null && { namespace }), name }));
  return path && action === 'corrected' ? { ...outcome, message: `${path} had been changed` } : outcome;
}
