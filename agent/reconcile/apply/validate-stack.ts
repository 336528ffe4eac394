import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { ClusterError, isUnserved } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';
import { type ClusterEffects, dryRunAll, retrying } from '../effects/cluster-effects.ts';
import { objectOutcome } from '../effects/outcome.ts';

/** The API server's verdict on objects before they are applied. */
export interface Validation {
  refused: ObjectOutcome[];
  /** Refused as well, but only because others of the stack are not there yet: to be asked for again after those are. */
  waiting: Desired[];
  /** The objects that `waiting` waits for. */
  needed: Desired[];
  /** The keys of what is there already. */
  existing: Set<string>;
}

const MAY_LACK_SOMETHING = new Set([403, 404]);

/** Asks the API server without changing anything. `stack` is all that may be needed. */
export async function validate(effects: ClusterEffects, objects: readonly Desired[], stack: readonly Desired[]): Promise<Validation> {
  const results = await dryRunAll(effects, objects);
  const byKey = new Map(stack.map((object) => [object.key, object]));
  const needed = new Map<string, Desired>();
  const validation: Validation = { refused: [], waiting: [], needed: [], existing: new Set() };
  for (const result of results) {
    const { item: object } = result;
    if (!('error' in result)) {
      // An object that would be created has no resource version yet.
      if (result.value.metadata.resourceVersion !== '') validation.existing.add(object.key);
      continue;
    }
    const { error } = result;
    const needs = mayLackSomething(error) ? object.needs.flatMap((key) => byKey.get(key) ?? []) : [];
    const missing = await absent(effects, needs);
    for (const need of missing) needed.set(need.key, need);
    if (missing.length > 0) validation.waiting.push(object);
    else validation.refused.push(objectOutcome(object.ref, { action: 'failed', because: 'dry run', message: error.message }));
  }
  return { ...validation, needed: [...needed.values()] };
}

const mayLackSomething = (error: Error): boolean => error instanceof ClusterError && MAY_LACK_SOMETHING.has(error.status);

async function absent(effects: ClusterEffects, objects: readonly Desired[]): Promise<Desired[]> {
  const missing: Desired[] = [];
  for (const object of objects) {
    const found = await retrying(effects, () => effects.cluster.find(object.ref)).catch((error: unknown) => {
      if (isUnserved(error)) return undefined;
      throw error;
    });
    if (!found) missing.push(object);
  }
  return missing;
}
