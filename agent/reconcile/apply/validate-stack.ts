import { ClusterError, isImmutable, isUnserved } from '../../cluster/cluster.ts';
import type { Desired } from '../desired/desired.ts';
import { OWNER_KEY } from '../desired/ownership.ts';
import { isWebhook, rulesOver } from '../desired/rulers.ts';
import { type ClusterEffects, dryRunAll, retrying, settlingTime } from '../effects/cluster-effects.ts';
import { dependsOnOthers, type Refusal } from '../effects/refusals.ts';
import { itemsBeyond } from '../plan/added-fields.ts';

/** The API server's verdict on objects before they are applied. */
export interface Validation {
  refused: Refusal[];
  /** Refused as well, but others of the stack that are not applied yet may change that: to be asked for again after those are. */
  waiting: Desired[];
  /** The objects that `waiting` waits for. Without any it waits for webhooks, which come last. */
  needed: Desired[];
  /** The keys of what is there already. */
  existing: Set<string>;
}

/** Asks the API server without changing anything. `rest` is all of the stack that is not applied yet. */
export async function validate(effects: ClusterEffects, objects: readonly Desired[], rest: readonly Desired[]): Promise<Validation> {
  const results = await dryRunAll(effects, objects);
  // An object that would be created has no resource version yet.
  const isThere = (result: (typeof results)[number]) => 'value' in result && result.value.metadata.resourceVersion !== '';
  const willBeRecreated = (result: (typeof results)[number]) => 'error' in result && result.item.recreate && isImmutable(result.error);
  const existing = new Set(results.filter((result) => isThere(result) || willBeRecreated(result)).map(({ item }) => item.key));
  const refusals = results.flatMap((result): Refusal[] =>
    'error' in result && !willBeRecreated(result) ? [{ object: result.item, error: result.error }] : [],
  );
  const validation: Validation = { refused: [], waiting: [], needed: [], existing };
  const keys = new Set(refusals.map(({ object }) => object.key));
  const needed = new Set<Desired>();
  for (const refusal of refusals) {
    const { object, error } = refusal;
    const rulers = dependsOnOthers(error) ? await rulersOf(effects, object, rest, keys) : [];
    if (rulers.length > 0) validation.waiting.push(object);
    else if (await canBeTakenOver(effects, refusal)) existing.add(object.key);
    else validation.refused.push(refusal);
    for (const ruler of rulers) if (!isWebhook(ruler)) needed.add(ruler);
  }
  return { ...validation, needed: [...needed] };
}

/** What may change the verdict on an object: what it names and lacks, or else all that rules over it and is not refused itself. */
async function rulersOf(
  effects: ClusterEffects,
  object: Desired,
  rest: readonly Desired[],
  refused: ReadonlySet<string>,
): Promise<Desired[]> {
  const needs = rest.filter(({ key }) => object.needs.includes(key));
  const missing = await absent(effects, needs);
  if (missing.length > 0) return missing;
  return rest.filter((ruler) => !refused.has(ruler.key) && (rulesOver(ruler, object) || isWebhook(ruler)));
}

/** The same after some of the stack was applied: what that may have changed is asked for until it has taken effect. */
export async function validateAgain(effects: ClusterEffects, objects: readonly Desired[], rest: readonly Desired[]): Promise<Validation> {
  const existing = new Set<string>();
  const settling = settlingTime(effects);
  let open = objects;
  for (;;) {
    const verdict = await validate(effects, open, rest);
    for (const key of verdict.existing) existing.add(key);
    const isFinal = verdict.refused.some(({ error }) => !dependsOnOthers(error));
    if (verdict.refused.length === 0 || isFinal || !(await settling.goesOn())) return { ...verdict, existing };
    open = [...verdict.refused.map(({ object }) => object), ...verdict.waiting];
  }
}

/** Only list items of kubectl or Helm may stand against it: they go when the object is taken over, so that the apply itself has to judge. */
async function canBeTakenOver({ cluster, stop }: ClusterEffects, { object: { ref, manifest }, error }: Refusal): Promise<boolean> {
  if (!(error instanceof ClusterError) || error.status !== 422 || isImmutable(error)) return false;
  const existing = await cluster.find(ref, stop);
  return existing !== undefined && existing.metadata.labels?.[OWNER_KEY] === undefined && itemsBeyond(existing, manifest) !== undefined;
}

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
