import { ClusterError, type ObjectRef, type TakeFieldsOptions } from '../cluster.ts';
import { difference, type FieldOwner, fieldOwners, intersection, union } from '../field-sets.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

const ATTEMPTS = 5;

/** A merge patch of what was just read, by its resource version: whatever others change meanwhile stays theirs. */
export async function takeFields(transport: KubernetesTransport, path: string, ref: ObjectRef, options: TakeFieldsOptions): Promise<void> {
  const { uid, fieldManager, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    const { metadata } = liveObject(await transport.send({ method: 'GET', path, signal }), ref);
    if (metadata.uid !== uid) return;
    const managedFields = withFieldsTaken(metadata.managedFields, options);
    if (!managedFields) return;
    const body = { metadata: { resourceVersion: metadata.resourceVersion, managedFields } };
    const query = `fieldManager=${encodeURIComponent(fieldManager)}`;
    try {
      await transport.send({ method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/merge-patch+json', signal });
      return;
    } catch (error) {
      if (!(error instanceof ClusterError && error.status === 409) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** The entries of `metadata.managedFields` with these managers' fields given to ours; undefined if there is nothing to give. */
function withFieldsTaken(entries: unknown, { from, fields, fieldManager }: TakeFieldsOptions): unknown[] | undefined {
  const all = fieldOwners(entries);
  const ours = all.find(({ manager, operation }) => manager === fieldManager && operation === 'Apply');
  if (!ours) return undefined;
  const wanted = fields === 'shared' ? ours.fieldsV1 : fields;
  const gives = ({ manager, apiVersion, subresource, fieldsV1 }: FieldOwner) =>
    from.includes(manager) && apiVersion === ours.apiVersion && subresource === undefined && intersection(fieldsV1, wanted) !== undefined;
  if (!all.some(gives)) return undefined;
  const taken = all.filter(gives).reduce((set, { fieldsV1 }) => union(set, intersection(fieldsV1, wanted) ?? {}), ours.fieldsV1);
  return all.flatMap((entry) => {
    if (entry === ours) return [{ ...ours, fieldsV1: taken }];
    if (!gives(entry)) return [entry];
    const fieldsV1 = difference(entry.fieldsV1, wanted);
    return fieldsV1 ? [{ ...entry, fieldsV1 }] : [];
  });
}
