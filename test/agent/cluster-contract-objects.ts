import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveObject, Manifest, ObjectRef } from '../../agent/cluster/cluster.ts';

export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): ObjectRef => ({
  apiVersion,
  kind,
  name,
  ...(namespace !== undefined && { namespace }),
});

/** Waits, within a limit, for a change that the API server makes in its own time. */
export async function eventually(isSo: () => unknown, timeoutMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not so after ${timeoutMs} ms: ${isSo}`);
    await sleep(20);
  }
}

export const isEstablished = (definition: LiveObject | undefined): boolean => {
  // Null until the server has looked at the definition for the first time.
  const { conditions } = (definition?.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return (conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');
};

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Defines a namespaced kind. Its spec keeps unknown fields unless `spec` gives it a schema. */
export function customResourceDefinition(
  group: string,
  kind: string,
  spec: object = anything,
  versions = [{ name: 'v1', served: true, storage: true }],
): Manifest {
  const plural = `${kind.toLowerCase()}s`;
  const openAPIV3Schema = { type: 'object', properties: { spec } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: versions.map((version) => ({ ...version, schema: { openAPIV3Schema } })),
    },
  };
}
