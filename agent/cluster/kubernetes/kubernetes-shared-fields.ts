import { ClusterError, type ObjectRef, type TakeFieldsOptions } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

const ATTEMPTS = 5;

/** A merge patch of what was just read, by its resource version: whatever others change meanwhile stays theirs. */
export async function takeSharedFields(
  transport: KubernetesTransport,
  path: string,
  ref: ObjectRef,
  { uid, from, fieldManager, signal }: TakeFieldsOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { metadata } = liveObject(await transport.send({ method: 'GET', path, signal }), ref);
    if (metadata.uid !== uid) return;
    const managedFields = withoutShared(metadata.managedFields, from, fieldManager);
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

/** The entries of `metadata.managedFields` without what these managers share with ours; undefined if they share nothing. */
function withoutShared(entries: unknown, from: readonly string[], fieldManager: string): unknown[] | undefined {
  const all = Array.isArray(entries) ? entries.filter(isObject) : [];
  const ours = all.find(({ manager, operation }) => manager === fieldManager && operation === 'Apply');
  if (!ours) return undefined;
  const isShared = ({ manager, apiVersion, subresource }: Record<string, unknown>) =>
    from.includes(String(manager)) && apiVersion === ours.apiVersion && subresource === undefined;
  if (!all.some(isShared)) return undefined;
  return all.flatMap((entry) => {
    if (!isShared(entry)) return [entry];
    const fieldsV1 = difference(entry.fieldsV1, ours.fieldsV1);
    return fieldsV1 === undefined ? [] : [{ ...entry, fieldsV1 }];
  });
}

/** A set of fields (FieldsV1) without those of another one; undefined if nothing is left. An empty member stands for itself. */
function difference(fields: unknown, others: unknown): unknown {
  if (!isObject(fields) || !isObject(others)) return fields;
  const left = Object.entries(fields).flatMap(([name, inner]): [string, unknown][] => {
    if (!Object.hasOwn(others, name)) return [[name, inner]];
    if (!isObject(inner) || Object.keys(inner).length === 0) return [];
    const rest = difference(inner, others[name]);
    return rest === undefined ? [] : [[name, rest]];
  });
  return left.length === 0 ? undefined : Object.fromEntries(left);
}
