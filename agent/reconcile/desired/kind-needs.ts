import { groupOf, type Manifest, type ObjectRef } from '../../cluster/cluster.ts';

/**
 * The API server looks these up before it takes an object, in a dry run too, and refuses the object if they aren't there. All of it
 * stands before the object in the order of kinds.
 */
const NEEDS: Readonly<Record<string, (manifest: Manifest, namespace: string | undefined) => Need[]>> = {
  '/Pod': ({ spec }, namespace) => [
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: field(spec, 'serviceAccountName') },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', name: field(spec, 'priorityClassName') },
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', name: field(spec, 'runtimeClassName') },
  ],
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleOf,
  'rbac.authorization.k8s.io/RoleBinding': roleOf,
};

interface Need {
  apiVersion: string;
  kind: unknown;
  namespace?: string | undefined;
  name: unknown;
}

/** Nobody grants a right that he doesn't have, so a binding needs its role. */
function roleOf({ roleRef }: Manifest, namespace: string | undefined): Need[] {
  const kind = field(roleRef, 'kind');
  return [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind, name: field(roleRef, 'name'), ...(kind === 'Role' && { namespace }) }];
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

export function needsOf(manifest: Manifest, namespace: string | undefined): ObjectRef[] {
  const needs = NEEDS[`${groupOf(manifest.apiVersion)}/${manifest.kind}`]?.(manifest, namespace) ?? [];
  return needs.flatMap(({ apiVersion, kind, namespace: within, name }) =>
    typeof kind === 'string' && typeof name === 'string'
      ? [{ apiVersion, kind, ...(within !== undefined && { namespace: within }), name }]
      : [],
  );
}
