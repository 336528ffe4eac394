import { ClusterError, type ObjectRef } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

/** https://github.com/kubernetes/kubernetes/issues/111937 */
const DROPPED_VERSION = /request to convert CR (?:to|from) an invalid group\/version: (\S+)/;

interface OwnedFields {
  transport: KubernetesTransport;
  path: string;
  ref: ObjectRef;
  fieldManager: string;
  signal?: AbortSignal | undefined;
}

/**
 * Once a definition has dropped a version, the API server refuses each apply of an object of which fields are owned in that version.
 * Moves their owners to the version that is asked for, so that what leaves the manifest still leaves the object. Only for an object that
 * this manager has applied before. Resolves to whether the apply is worth another try.
 */
export async function moveFieldOwners(error: unknown, { transport, path, ref, fieldManager, signal }: OwnedFields): Promise<boolean> {
  const dropped = error instanceof ClusterError ? DROPPED_VERSION.exec(error.message)?.[1] : undefined;
  if (dropped === undefined || dropped === ref.apiVersion) return false;
  const { metadata } = liveObject(await transport.send({ method: 'GET', path, signal }), ref);
  const owners = Array.isArray(metadata.managedFields) ? metadata.managedFields.filter(isObject) : [];
  if (!owners.some(({ apiVersion, manager }) => apiVersion === dropped && manager === fieldManager)) return false;
  const managedFields = owners.map((owner) => (owner.apiVersion === dropped ? { ...owner, apiVersion: ref.apiVersion } : owner));
  const body = { metadata: { resourceVersion: metadata.resourceVersion, managedFields } };
  const query = `fieldManager=${encodeURIComponent(fieldManager)}`;
  await transport.send({ method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/merge-patch+json', signal });
  return true;
}
