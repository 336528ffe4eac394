import { type Cluster, groupOf, type Manifest, type ObjectRef, type ResourceKind } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import type { DeploymentRef } from '../../control-plane/stack-assignment.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { isContainer } from './containers.ts';
import { needsOf } from './kind-needs.ts';
import { isOfKubernetes, rankOf, type StageName, stageOf } from './kind-order.ts';
import { ManifestError } from './manifests.ts';
import { objectKey, objectText, refOf } from './object-key.ts';
import { type Owner, stamp, USER_ANNOTATION } from './ownership.ts';
import { withEncodedStringData } from './secret-data.ts';

/** One object of a stack, ready to be applied. */
export interface Desired {
  key: string;
  ref: ObjectRef;
  manifest: Manifest;
  rank: number;
  stage: StageName;
  /** Whether the cluster can judge it only after this stack's own Namespaces and CustomResourceDefinitions are there. */
  needsDefinitions: boolean;
  /** Whether only changes of the wish move its generation. */
  hasStatus: boolean;
  /** Whether it may be deleted and created again if it can't be changed in place. */
  recreate: boolean;
  /** The paths of the fields that are left to others. */
  left: readonly (readonly string[])[];
  /** The keys of what its kind can't be judged without, in this stack or not. */
  needs: readonly string[];
}

export interface Placing {
  owner: Owner;
  /** The deployment object that the manifests come from. */
  deployment: Omit<DeploymentRef, 'sequence'>;
  /** For namespaced objects that name none. */
  defaultNamespace: string;
  /** Whether an object is the agent's own bookkeeping, which no stack may write. */
  isReserved: (ref: ObjectRef) => boolean;
  /** What the stack says of objects that can't be changed in place, for those that don't say it themselves. */
  recreate?: boolean;
}

/** The objects of a stack. */
export interface Placed {
  desired: Desired[];
  /** Those whose kind neither the cluster nor a CRD of the same stack defines yet: somebody else's controller may bring it. */
  unserved: ObjectRef[];
}

/** These hold data: only their own word counts. */
const DATA_KINDS = new Set(['PersistentVolumeClaim', 'PersistentVolume']);

/** A container is never deleted for this: all that is in it would go, too. Nor is what is to be kept. */
function mayRecreate(ref: ObjectRef, { metadata: { annotations } }: Manifest, ofStack: boolean): boolean {
  const own = annotations?.[USER_ANNOTATION.recreate];
  if (isContainer(ref) || annotations?.[USER_ANNOTATION.keep] === 'true') return false;
  return own === undefined ? ofStack && !DATA_KINDS.has(ref.kind) : own === 'immutable';
}

type Scope = 'namespaced' | 'cluster' | 'unknown';

/**
 * Gives each manifest its namespace, its marks and its place in the order. Refuses kinds that can't come any more, and the same object
 * twice, naming all of them.
 */
export async function desiredObjects(
  cluster: Cluster,
  manifests: readonly Manifest[],
  placing: Placing,
  signal?: AbortSignal,
): Promise<Placed> {
  const kinds = await resolveKinds(cluster, manifests, signal);
  return placeObjects(manifests, kinds, placing);
}

export const kindText = ({ apiVersion, kind }: { apiVersion: string; kind: string }): string => `${apiVersion} ${kind}`;

async function resolveKinds(
  cluster: Cluster,
  manifests: readonly Manifest[],
  signal?: AbortSignal,
): Promise<Map<string, ResourceKind | undefined>> {
  const wanted = new Map(manifests.map((manifest) => [kindText(manifest), manifest]));
  const own = definedKinds(manifests);
  const found = await Promise.all(
    [...wanted].map(async ([text, { apiVersion, kind }]) => {
      // A kind this stack defines is usually not there yet: no need to ask twice.
      const options = { fresh: false, ...(signal && { signal }) };
      return [text, own.has(`${groupOf(apiVersion)} ${kind}`) ? undefined : await cluster.findKind(apiVersion, kind, options)] as const;
    }),
  );
  return new Map(found);
}

export function placeObjects(
  manifests: readonly Manifest[],
  kinds: ReadonlyMap<string, Pick<ResourceKind, 'namespaced' | 'hasStatus'> | undefined>,
  { owner, deployment, defaultNamespace, isReserved, recreate = false }: Placing,
): Placed {
  const own = definedKinds(manifests);
  const statuses = definedStatuses(manifests);
  const ownNamespaces = new Set(
    manifests.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Namespace').map(({ metadata }) => metadata.name),
  );
  const problems: string[] = [];
  const unserved = new Map<string, ObjectRef>();
  const byKey = new Map<string, Desired>();
  for (const manifest of manifests) {
    const defined = own.get(`${groupOf(manifest.apiVersion)} ${manifest.kind}`);
    const scope = defined ?? scopeOf(kinds.get(kindText(manifest)));
    if (scope === 'unknown') {
      const ref = refOf(manifest);
      if (isOfKubernetes(manifest)) problems.push(`${objectText(ref)}: ${MESSAGES.noSuchKind(kindText(manifest))}`);
      if (unserved.has(objectKey(ref))) problems.push(`${objectText(ref)}: ${MESSAGES.twice()}`);
      unserved.set(objectKey(ref), ref);
      continue;
    }
    const namespace = scope === 'namespaced' ? (manifest.metadata.namespace ?? defaultNamespace) : undefined;
    const placed = inNamespace(manifest, namespace);
    const ref: ObjectRef = {
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      ...(namespace !== undefined && { namespace }),
      name: manifest.metadata.name,
    };
    const key = objectKey(ref);
    if (isReserved(ref)) problems.push(`${objectText(ref)}: ${MESSAGES.reservedName()}`);
    if (byKey.has(key)) problems.push(`${objectText(ref)}: ${MESSAGES.twice()}`);
    const rank = rankOf(manifest);
    byKey.set(key, {
      key,
      ref,
      manifest: stamp(withEncodedStringData(placed), owner, deployment),
      rank,
      stage: stageOf(rank),
      needsDefinitions: defined !== undefined || (namespace !== undefined && ownNamespaces.has(namespace)),
      hasStatus: statuses.get(kindText(manifest)) ?? kinds.get(kindText(manifest))?.hasStatus ?? true,
      recreate: mayRecreate(ref, manifest, recreate),
      left: [],
      needs: needsOf(manifest, namespace).map(objectKey),
    });
  }
  if (problems.length > 0) throw new ManifestError(problems.join('; '));
  return { desired: [...byKey.values()].sort(inOrder), unserved: [...unserved.values()] };
}

/** One order for all runs: by rank, then by name, so that what happens twice happens the same way. */
const inOrder = (a: Desired, b: Desired): number => a.rank - b.rank || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const scopeOf = (kind: Pick<ResourceKind, 'namespaced'> | undefined): Scope =>
  kind ? (kind.namespaced ? 'namespaced' : 'cluster') : 'unknown';

function inNamespace(manifest: Manifest, namespace: string | undefined): Manifest {
  if (manifest.metadata.namespace === namespace) return manifest;
  const { namespace: _dropped, ...metadata } = manifest.metadata;
  return { ...manifest, metadata: namespace === undefined ? metadata : { ...metadata, namespace } };
}

/** The kinds this stack's CRDs will define, as `group Kind`. */
export function definedKinds(manifests: readonly Manifest[]): Map<string, Scope> {
  const kinds = new Map<string, Scope>();
  for (const manifest of manifests) {
    if (manifest.kind !== 'CustomResourceDefinition' || groupOf(manifest.apiVersion) !== 'apiextensions.k8s.io') continue;
    const { spec } = manifest;
    if (!isObject(spec) || !isObject(spec.names)) continue;
    kinds.set(`${String(spec.group)} ${String(spec.names.kind)}`, spec.scope === 'Cluster' ? 'cluster' : 'namespaced');
  }
  return kinds;
}

/** Whether the kinds of this stack's CRDs have a status of their own, by `apiVersion kind`. */
function definedStatuses(manifests: readonly Manifest[]): Map<string, boolean> {
  const statuses = new Map<string, boolean>();
  for (const { kind, apiVersion, spec } of manifests) {
    if (kind !== 'CustomResourceDefinition' || groupOf(apiVersion) !== 'apiextensions.k8s.io') continue;
    if (!isObject(spec) || !isObject(spec.names) || !Array.isArray(spec.versions)) continue;
    for (const version of spec.versions.filter(isObject))
      statuses.set(
        `${spec.group}/${version.name} ${spec.names.kind}`,
        isObject(version.subresources) && isObject(version.subresources.status),
      );
  }
  return statuses;
}
