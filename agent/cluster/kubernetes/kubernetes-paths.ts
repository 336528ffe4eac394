import { ClusterError, type ObjectRef, type ResourceKind } from '../cluster.ts';

export function kindPath({ apiVersion, plural, namespaced }: ResourceKind, namespace: string | undefined): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespaced && namespace !== undefined ? `${root}/namespaces/${segment('namespace', namespace)}/${plural}` : `${root}/${plural}`;
}

export function objectPath(resource: ResourceKind, { namespace, name }: ObjectRef): string {
  if (!resource.namespaced || namespace !== undefined) return `${kindPath(resource, namespace)}/${segment('name', name)}`;
  throw new ClusterError(`${resource.kind} ${name} names no namespace`, { status: 400, reason: 'BadRequest' });
}

/**
 * No name of any kind has these. An empty one would turn a call on one object into one on all of its kind, and the API server decodes
 * a path before it splits it: `web/scale` would be a part of the object `web`, however it is encoded.
 */
function segment(field: 'name' | 'namespace', value: string): string {
  if (value !== '' && value !== '.' && value !== '..' && !/[/%]/.test(value)) return encodeURIComponent(value);
  throw new ClusterError(`metadata.${field}: Invalid value: must be a name without slashes and percent signs`, {
    status: 422,
    reason: 'Invalid',
  });
}
