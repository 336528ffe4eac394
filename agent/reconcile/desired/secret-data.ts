import type { Manifest } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';

/**
 * A Secret with its `stringData` as `data`. The API server merges `stringData` into `data` and forgets which keys came from it: a key
 * that is removed from `stringData` would stay in the cluster. What the API server would refuse is left as it is, for it to refuse.
 */
export function withEncodedStringData(manifest: Manifest): Manifest {
  const { apiVersion, kind, stringData, data, ...rest } = manifest;
  if (apiVersion !== 'v1' || kind !== 'Secret' || stringData === undefined) return manifest;
  const texts = stringData ?? {};
  if (!isObject(texts) || !(isObject(data) || data === undefined || data === null)) return manifest;
  // The API server takes a key without a value for an empty text.
  if (!Object.values(texts).every((text) => typeof text === 'string' || text === null)) return manifest;
  const encoded = Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text ?? '')).toString('base64')] as const);
  return { apiVersion, kind, ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}
