import { type Clock, timestamp } from '../../../lib/platform/clock.ts';
import { newId } from '../../../lib/platform/ids.ts';
import { type ApplyOptions, CHANGED, ClusterError, type LiveObject, type Manifest } from '../cluster.ts';
import { mergeApply, same } from './memory-fields.ts';
import { type MemoryObjects, unservedError } from './memory-objects.ts';
import { keyOf, refMetadata, refOf } from './memory-refs.ts';
import { settledStatus } from './memory-workloads.ts';

const DNS_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const FREE_NAMES = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

/** Server-side apply. `attended` says whether a controller of the kind sets the status. */
export function applyInMemory(
  objects: MemoryObjects,
  manifest: Manifest,
  { fieldManager, force, dryRun, onto }: ApplyOptions,
  { clock, attended }: { clock: Clock; attended: (kind: string) => boolean },
): LiveObject {
  check(objects, manifest);
  const { stored, store, nextRevision } = objects;
  const key = keyOf(refOf(manifest));
  const existing = stored.get(key);
  if (onto !== undefined && !isOnto(existing?.object, onto)) {
    throw new ClusterError(`${manifest.kind} "${manifest.metadata.name}" is not what it was`, { status: 409, reason: CHANGED });
  }
  const now = timestamp(clock);
  const fresh = {
    apiVersion: manifest.apiVersion,
    kind: manifest.kind,
    metadata: { ...refMetadata(manifest), uid: newId(), creationTimestamp: now, resourceVersion: '' },
  };
  const merged = mergeApply(
    { fields: { ...(existing?.object ?? fresh) }, owners: existing?.owners ?? new Map() },
    manifest,
    fieldManager,
    force,
  );
  if ('conflicts' in merged) {
    const { length } = merged.conflicts;
    throw new ClusterError(`Apply failed with ${length} conflict${length === 1 ? '' : 's'}: ${merged.conflicts.join(', ')}`, {
      status: 409,
      reason: 'Conflict',
    });
  }
  const object = { ...merged.fields, apiVersion: manifest.apiVersion } as LiveObject;
  if (existing && same(existing.object, object)) {
    if (!dryRun) stored.set(key, { object: existing.object, owners: merged.owners });
    return existing.object;
  }
  const meant = ({ metadata: _m, status: _s, ...rest }: LiveObject) => rest;
  const generation = (existing?.object.metadata.generation ?? 0) + (existing && same(meant(existing.object), meant(object)) ? 0 : 1);
  object.metadata = { ...object.metadata, generation };
  if (dryRun) return object;
  object.metadata.resourceVersion = nextRevision();
  if (attended(object.kind)) setSettled(object, now);
  store(key, { object, owners: merged.owners });
  return object;
}

function check({ stored, scopeOf }: MemoryObjects, manifest: Manifest): void {
  const { apiVersion, kind, metadata } = manifest;
  const served = scopeOf(manifest);
  if (!served) throw unservedError({ apiVersion, kind });
  const invalid = (message: string) =>
    new ClusterError(`${kind} "${metadata.name}" is invalid: ${message}`, { status: 422, reason: 'Invalid' });
  if (!FREE_NAMES.has(kind) && !DNS_NAME.test(metadata.name)) throw invalid('metadata.name: must be a lowercase RFC 1123 name');
  if (served.namespaced && metadata.namespace === undefined)
    throw new ClusterError('the namespace is missing', { status: 400, reason: 'BadRequest' });
  if (kind === 'ConfigMap' && Object.values(manifest.data ?? {}).some((value) => typeof value !== 'string'))
    throw invalid('data: values must be strings');
  const namespace =
    served.namespaced && metadata.namespace !== undefined
      ? stored.get(keyOf({ apiVersion: 'v1', kind: 'Namespace', name: metadata.namespace }))
      : undefined;
  if (served.namespaced && !namespace) throw notFound(`namespaces "${metadata.namespace}"`);
  if (namespace?.object.metadata.deletionTimestamp && !stored.has(keyOf(refOf(manifest)))) {
    throw new ClusterError(`${kind} "${metadata.name}" is forbidden: namespace ${metadata.namespace} is being terminated`, {
      status: 403,
      reason: 'Forbidden',
    });
  }
}

const notFound = (what: string) => new ClusterError(`${what} not found`, { status: 404, reason: 'NotFound' });

function setSettled(object: LiveObject, now: string): void {
  const status = settledStatus(object, now);
  if (status) object.status = status;
}

const isOnto = (existing: LiveObject | undefined, onto: NonNullable<ApplyOptions['onto']>): boolean =>
  onto === 'absent'
    ? existing === undefined
    : existing?.metadata.uid === onto.uid && [undefined, existing.metadata.resourceVersion].includes(onto.resourceVersion);
