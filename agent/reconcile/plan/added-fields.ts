import type { LiveObject, Manifest } from '../../cluster/cluster.ts';
import { type FieldOwner, type FieldSet, fieldOwners, memberOf, union } from '../../cluster/field-sets.ts';
import { isObject } from '../../cluster/json-object.ts';
import { FIELD_MANAGER } from '../desired/ownership.ts';

/** Fields that somebody else has added to an object of a stack. */
export interface Addition {
  manager: string;
  /** By hand: it goes with the next correction. Others, who may be controllers that this agent doesn't know, are only told of. */
  byHand: boolean;
  paths: (readonly string[])[];
  fields: FieldSet;
}

/** kubectl and its likes. `kubectl rollout`, `scale`, `label` and `annotate` say by their own names that they only steer what is there. */
const HANDS = /^(?:kubectl(?:-(?:client-side-apply|create|edit|patch|replace|set))?|oc)$/;
/** What runs in a cluster names itself so. */
const CONTROLLERS = /^(?:kube|k3s|gke|eks|aks)-|^kubelet$|^kubectl-|controller|operator|manager|scheduler|autoscaler|injector/;
/** Most of their fields never change once they are set. */
const HOLDS_DATA = /^PersistentVolume(?:Claim)?$/;
/** Injected, or written by way of `scale` where the stack leaves them out. */
const LEFT_ALONE = new Set(['caBundle', 'replicas']);

/**
 * What others own in an object about which its manifest says nothing, without metadata and status. `left` are the fields that are left to others.
 * What was there when the object was adopted is nobody's addition. Nobody can tell it apart for sure, since an entry has one time for all its fields:
 * of an adopted object, what has a later time than our last change is told, and never taken away.
 */
export function addedFields(
  live: LiveObject,
  { manifest, left }: { manifest: Manifest; left: readonly (readonly string[])[] },
  isAdopted: boolean,
): Addition[] {
  if (HOLDS_DATA.test(live.kind)) return [];
  const owners = fieldOwners(live.metadata.managedFields);
  const ours = owners.find(isOurs);
  return owners.flatMap((owner) => {
    const { manager, operation, subresource, time = '' } = owner;
    if (isOurs(owner) || subresource !== undefined || (CONTROLLERS.test(manager) && !HANDS.test(manager))) return [];
    if (isAdopted && time <= (ours?.time ?? '')) return [];
    const { 'f:metadata': _metadata, 'f:status': _status, ...meant } = owner.fieldsV1;
    const paths: (readonly string[])[] = [];
    const fields = beyond(meant, manifest, live, { path: [], left, paths });
    return fields ? [{ manager, byHand: !isAdopted && operation === 'Update' && HANDS.test(manager), paths, fields }] : [];
  });
}

const isOurs = ({ manager, operation }: FieldOwner) => manager === FIELD_MANAGER && operation === 'Apply';

/** The names under which kubectl and Helm own what they have applied. */
export const EARLIER_MANAGERS = ['kubectl-client-side-apply', 'before-first-apply', 'kubectl', 'helm'];

/**
 * The items that kubectl or Helm have set in lists which the manifest names, and that it doesn't name: a list that a stack names is the stack's as a
 * whole. A Service's port that changes would else stand beside the old one.
 */
export function itemsBeyond(live: LiveObject, manifest: Manifest): FieldSet | undefined {
  const earlier = fieldOwners(live.metadata.managedFields).filter(
    ({ manager, subresource }) => EARLIER_MANAGERS.includes(manager) && subresource === undefined,
  );
  const sets = earlier.map(({ fieldsV1: { 'f:metadata': _metadata, ...meant } }) =>
    beyond(meant, manifest, live, { path: [], left: [], paths: [], itemsOnly: true }),
  );
  return sets.reduce((all, set) => (all && set ? union(all, set) : (all ?? set)), undefined);
}

interface Walk {
  /** Members that the manifest says nothing of are passed over, unless they are items of lists. */
  itemsOnly?: boolean;
  path: readonly string[];
  left: readonly (readonly string[])[];
  /** Where additions begin. */
  paths: (readonly string[])[];
}

/** The part of a set that the manifest says nothing of. */
function beyond(fields: FieldSet, wished: unknown, live: unknown, { path, left, paths, itemsOnly = false }: Walk): FieldSet | undefined {
  const found: Record<string, unknown> = {};
  for (const [member, inner] of Object.entries(fields)) {
    if (member === '.') continue;
    const there = memberOf(live, member);
    const here = [...path, there?.name ?? member];
    if (!there || LEFT_ALONE.has(there.name) || left.some((other) => isWithin(other, here))) continue;
    const wish = memberOf(wished, member);
    if (!wish && itemsOnly && member.startsWith('f:')) continue;
    if (!wish) {
      found[member] = inner;
      paths.push(here);
    } else if (isObject(inner) && Object.keys(inner).length > 0) {
      const rest = beyond(inner, wish.value, there.value, { path: here, left, paths, itemsOnly });
      if (rest) found[member] = rest;
    }
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

/** Whether one path leads into the other. */
const isWithin = (a: readonly string[], b: readonly string[]): boolean =>
  Array.from({ length: Math.min(a.length, b.length) }).every((_, index) => a[index] === b[index]);

/** Who owns a field in the cluster besides this agent; of several the one that changed it last. */
export function otherManagerOf(live: LiveObject, path: readonly string[]): string | undefined {
  return fieldOwners(live.metadata.managedFields)
    .filter((owner) => !isOurs(owner) && owns(owner.fieldsV1, live, path))
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager;
}

function owns(fields: FieldSet, value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  for (const [member, inner] of Object.entries(fields)) {
    const there = memberOf(value, member);
    if (there?.name !== name) continue;
    if (!isObject(inner) || Object.keys(inner).length === 0) return true;
    return owns(inner, there.value, rest);
  }
  return false;
}
