import { type Cluster, groupOf, isUnserved, type Manifest, type ObjectRef } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import { isDefinition } from '../desired/containers.ts';
import { objectKey, refOf } from '../desired/object-key.ts';
import { ownedBySomeone } from '../desired/ownership.ts';
import { type Looking, type Observed, observe } from '../plan/observe.ts';
import type { Inventory } from './inventory.ts';

/** The kinds that a stack defines itself: the name of the CustomResourceDefinition by `group/Kind`. */
export type OwnDefinitions = Readonly<Record<string, string>>;

export function ownDefinitions(manifests: readonly Manifest[]): OwnDefinitions {
  const definitions: Record<string, string> = {};
  for (const manifest of manifests) {
    const { spec } = manifest;
    if (!isDefinition(refOf(manifest)) || !isObject(spec) || !isObject(spec.names)) continue;
    definitions[`${String(spec.group)}/${String(spec.names.kind)}`] = manifest.metadata.name;
  }
  return definitions;
}

/**
 * The live objects of what a stack owns and no longer wants. A kind that is not served leaves it unknown whether its objects are gone,
 * unless the stack defined the kind and its definition is gone: the API server deletes a kind's objects before its definition.
 */
export async function observeOwned(
  effects: Looking,
  { definitions = {} }: Pick<Inventory, 'definitions'>,
  refs: readonly ObjectRef[],
): Promise<Observed> {
  const observed = await observe(effects, refs, ownedBySomeone);
  for (const ref of refs) {
    const error = observed.unknown.get(objectKey(ref));
    if (isUnserved(error) && (await isGoneWithDefinition(effects.cluster, definitions, ref, effects.stop)))
      observed.unknown.delete(objectKey(ref));
  }
  return observed;
}

export async function isGoneWithDefinition(
  cluster: Cluster,
  definitions: OwnDefinitions,
  { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
  signal: AbortSignal,
): Promise<boolean> {
  const name = definitions[`${groupOf(apiVersion)}/${kind}`];
  if (name === undefined) return false;
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name };
  return (await cluster.find(definition, signal)) === undefined;
}
