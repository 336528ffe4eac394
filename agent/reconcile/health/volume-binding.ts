import type { Cluster, LiveObject } from '../../cluster/cluster.ts';

/** `volumeBindingMode` by StorageClass name. */
export type BindingModes = ReadonlyMap<string, string>;

const storageClassOf = ({ kind, spec, status }: LiveObject): string | undefined => {
  if (kind !== 'PersistentVolumeClaim' || fieldOf(status, 'phase') !== 'Pending') return undefined;
  const name = fieldOf(spec, 'storageClassName');
  return typeof name === 'string' && name !== '' ? name : undefined;
};

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;

/**
 * How the storage classes of pending claims bind: a class that waits for the first consumer leaves a claim pending without fault. One
 * read for each such class. If it can't be read, the claim is waited for like any other.
 */
export async function bindingModesFor(cluster: Cluster, live: Iterable<LiveObject>, signal: AbortSignal): Promise<BindingModes> {
  const names = new Set([...live].flatMap((object) => storageClassOf(object) ?? []));
  const modes = new Map<string, string>();
  for (const name of names) {
    const found = await cluster.find({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name }, signal).catch(() => undefined);
    if (typeof found?.volumeBindingMode === 'string') modes.set(name, found.volumeBindingMode);
  }
  return modes;
}

export const bindingModeOf = (modes: BindingModes, live: LiveObject): string | undefined => modes.get(storageClassOf(live) ?? '');
