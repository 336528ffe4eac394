import { applyStages } from './apply-stages.ts';
import { applyAll } from './cluster-effects.ts';
import { missingNamespaces, rollBackNamespaces } from './created-namespaces.ts';
import type { Desired } from './desired.ts';
import { keysOf, union } from './inventory.ts';
import { objectKey } from './object-key.ts';
import { observe } from './observe.ts';
import { objectOutcome } from './outcome.ts';
import { ownedBySomeone } from './ownership.ts';
import { type Plan, plan } from './plan.ts';
import { pruneStages, withPrune } from './prune.ts';
import { type AttemptPorts, type AttemptResult, failure, type StackAttempt } from './stack-attempt.ts';

/**
 * Makes the cluster hold a stack's new contents: everything that can be is validated before anything is changed; what the stack
 * defines itself comes first and is validated against. What may be owned is written down before it is made.
 * Rejects with a ClusterError where the cluster can't be read or the inventory not be written; an attempt may be repeated at any point.
 */
export async function applyStack(ports: AttemptPorts, attempt: StackAttempt): Promise<AttemptResult> {
  const { effects, inventories } = ports;
  const { owner, desired, inventory } = attempt;
  const before = inventory?.objects ?? [];
  const late = desired.filter(({ needsDefinitions }) => needsDefinitions);
  // Both only look: whose the objects are, and whether the cluster would take them.
  const [planned, invalid] = await Promise.all([
    planContents(ports, attempt),
    invalidObjects(ports, late.length === 0 ? desired : desired.filter(({ needsDefinitions }) => !needsDefinitions)),
  ]);
  if (planned.refused.length > 0) {
    const objects = planned.refused.map(({ ref, because }) =>
      objectOutcome(ref, { action: 'failed', because: 'foreign', message: because }),
    );
    return failure('nothing was changed: objects of other owners are never taken over', objects);
  }
  if (invalid.length > 0) return failure('nothing was changed: the cluster refuses the stack', invalid);

  const unfinished = inventory?.checksum === null ? inventory.createdNamespaces : [];
  const created = union(unfinished.map(namespaceRef), (await missingNamespaces(effects, desired)).map(namespaceRef)).map(
    ({ name }) => name,
  );
  const begun = {
    stackId: owner.stackId,
    sequence: attempt.sequence,
    deploymentObjectId: attempt.deploymentObjectId,
    checksum: null,
    createdNamespaces: created,
  };
  const definitions = desired.filter(({ stage }) => stage === 'definitions');
  await inventories.put({
    ...begun,
    objects: union(
      before,
      (late.length > 0 ? definitions : desired).map(({ ref }) => ref),
    ),
  });

  const fail = async (summary: string, objects: AttemptResult['outcome']['objects']): Promise<AttemptResult> => {
    const note = await rollBackNamespaces(ports, owner);
    return failure([summary, ...note].join('; '), objects);
  };
  const first = await applyStages(
    effects,
    planned.stages.filter(({ name }) => name === 'definitions'),
  );
  if (first.failed) return fail('its definitions could not be applied', first.outcomes);
  if (late.length > 0) {
    const invalidLate = await invalidObjects(ports, late);
    if (invalidLate.length > 0)
      return fail(`the cluster refuses the stack; applied were only ${definitionsText(definitions)}`, invalidLate);
    await inventories.put({
      ...begun,
      objects: union(
        before,
        desired.map(({ ref }) => ref),
      ),
    });
  }
  const rest = await applyStages(
    effects,
    planned.stages.filter(({ name }) => name === 'workloads' || name === 'admission'),
  );
  const outcomes = [...first.outcomes, ...rest.outcomes];
  if (rest.failed) return fail('nothing was pruned', outcomes);

  const pruned = await pruneStages(ports, owner, planned);
  await inventories.put({
    ...begun,
    checksum: attempt.checksum,
    createdNamespaces: [],
    objects: union(
      pruned.survivors,
      desired.map(({ ref }) => ref),
    ),
  });
  const objects = [...outcomes, ...pruned.outcomes];
  return {
    outcome: withPrune(pruned, objects),
    live: new Map([...first.live, ...rest.live]),
  };
}

/** Looks only at what is not surely ours yet and at what leaves: an update that adds and drops nothing reads nothing. */
async function planContents({ effects }: AttemptPorts, { owner, desired, inventory }: StackAttempt): Promise<Plan> {
  const before = inventory?.objects ?? [];
  const settled = inventory && inventory.checksum !== null ? keysOf(before) : new Set<string>();
  const wanted = new Set(desired.map(({ key }) => key));
  const unsure = [
    ...desired.filter(({ key }) => !settled.has(key)).map(({ ref }) => ref),
    ...before.filter((ref) => !wanted.has(objectKey(ref))),
  ];
  const live = await observe(effects.cluster, unsure, ownedBySomeone);
  return plan({ owner, desired, inventory: before, live, apply: 'all', pruneReason: 'left the stack' });
}

async function invalidObjects({ effects }: AttemptPorts, objects: readonly Desired[]) {
  const results = await applyAll(effects, objects, { dryRun: true });
  return results.flatMap((result) =>
    'error' in result ? [objectOutcome(result.object.ref, { action: 'failed', because: 'dry run', message: result.error.message })] : [],
  );
}

const namespaceRef = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name });

function definitionsText(definitions: readonly Desired[]): string {
  const crds = definitions.filter(({ ref }) => ref.kind === 'CustomResourceDefinition').length;
  return crds === 0
    ? 'its namespaces'
    : `its namespaces and ${crds} CustomResourceDefinition${crds === 1 ? '' : 's'}, which stay until the stack goes`;
}
