import { ClusterError, type DisownOptions, type ObjectRef } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { liveObject } from './kubernetes-object.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

const ATTEMPTS = 5;

/** A merge patch of what was just read, by its resource version: whatever others change meanwhile stays theirs. */
export async function disown(
  transport: KubernetesTransport,
  path: string,
  ref: ObjectRef,
  { uid, labels, annotations, fieldManager, signal }: DisownOptions,
): Promise<'disowned' | 'gone'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { metadata } = liveObject(await transport.send({ method: 'GET', path, signal }), ref);
      if (metadata.uid !== uid) return 'gone';
      const body = {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          labels: without(labels, metadata.labels),
          annotations: without(annotations, metadata.annotations),
          managedFields: fieldsOfOthers(metadata.managedFields, fieldManager),
        },
      };
      const query = `fieldManager=${encodeURIComponent(fieldManager)}`;
      await transport.send({ method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/merge-patch+json', signal });
      return 'disowned';
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404 && error.reason === 'NotFound') return 'gone';
      if (!(error instanceof ClusterError && error.status === 409) || attempt >= ATTEMPTS) throw error;
    }
  }
}

const without = (names: readonly string[], present: Readonly<Record<string, string>> = {}): Record<string, null> =>
  Object.fromEntries(names.filter((name) => name in present).map((name) => [name, null]));

/** One empty entry means none: the API server takes an empty list for a client that doesn't know of ownership. */
function fieldsOfOthers(managedFields: unknown, fieldManager: string): unknown[] {
  const others = Array.isArray(managedFields) ? managedFields.filter((entry) => isObject(entry) && entry.manager !== fieldManager) : [];
  return others.length > 0 ? others : [{}];
}
