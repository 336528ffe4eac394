import { CHANGED, ClusterError, type ObjectRef, type TakeFieldsOptions } from '../cluster.ts';
import { difference, type FieldOwner, fieldOwners, intersection, union } from '../field-sets.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

const ATTEMPTS = 5;

/** A merge patch of what was just read, by its resource version: whatever others change meanwhile stays theirs. */
export async function takeFields(
  transport: KubernetesTransport,
  path: string,
  ref: ObjectRef,
  options: TakeFieldsOptions,
): Promise<string | undefined> {
  const { uid, resourceVersion, fieldManager, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    const { metadata } = liveObject(await transport.send({ method: 'GET', path, signal }), ref);
    if (metadata.uid !== uid) return undefined;
    if (resourceVersion !== undefined && metadata.resourceVersion !== resourceVersion)
      throw new ClusterError(`${ref.kind} "${ref.name}" is not what it was`, { status: 409, reason: CHANGED });
    const managedFields = withFieldsTaken(metadata.managedFields, options);
    if (!managedFields) return undefined;
    const body = { metadata: { resourceVersion: metadata.resourceVersion, managedFields } };
    const query = `fieldManager=${encodeURIComponent(fieldManager)}`;
    const request = { method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/merge-patch+json', signal } as const;
    try {
      return liveObject(await transport.send(request), ref).metadata.resourceVersion;
    } catch (error) {
      if (!(error instanceof ClusterError && error.status === 409) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** The entries of `metadata.managedFields` with these managers' fields given to ours; undefined if there is nothing to give. */
function withFieldsTaken(entries: unknown, { from, fields, fieldManager }: TakeFieldsOptions): unknown[] | undefined {
  const all = fieldOwners(entries);
  const ours = all.find(({ manager, operation }) => manager === fieldManager && operation === 'Apply');
  const wanted = fields === 'shared' ? (ours?.fieldsV1 ?? {}) : fields;
  const apiVersion = ours?.apiVersion ?? all.find(({ manager }) => from.includes(manager))?.apiVersion;
  const gives = (entry: FieldOwner) =>
    from.includes(entry.manager) &&
    entry.apiVersion === apiVersion &&
    entry.subresource === undefined &&
    intersection(entry.fieldsV1, wanted) !== undefined;
  if (!all.some(gives)) return undefined;
  const taken = all.filter(gives).reduce((set, { fieldsV1 }) => union(set, intersection(fieldsV1, wanted) ?? {}), ours?.fieldsV1 ?? {});
  const others = all.flatMap((entry) => {
    if (entry === ours) return [];
    if (!gives(entry)) return [entry];
    const fieldsV1 = difference(entry.fieldsV1, wanted);
    return fieldsV1 ? [{ ...entry, fieldsV1 }] : [];
  });
  const entry = ours ?? { manager: fieldManager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1' };
  return [...others, { ...entry, fieldsV1: taken }];
}
