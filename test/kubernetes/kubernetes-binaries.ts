import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BinaryName, binaryNames, type Component, listComponents } from './kubernetes-components.ts';

/** The absolute paths of everything that a cluster needs to start. */
export type Binaries = Record<BinaryName, string>;

/** The binaries that `KUBEBUILDER_ASSETS` must contain. If it is set, they come only from there: a mixture would test neither. */
const ASSETS: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** Returns all binaries, or undefined if one is missing. */
export function findBinaries(): Binaries | undefined {
  const found: Partial<Binaries> = {};
  for (const name of binaryNames) {
    const path = locateBinary(name);
    if (path !== undefined) found[name] = path;
  }
  return isComplete(found) ? found : undefined;
}

const isComplete = (found: Partial<Binaries>): found is Binaries => binaryNames.every((name) => found[name] !== undefined);

/** The components that have to be built before a cluster can start. A component whose binaries are found elsewhere is not needed. */
export const listMissingComponents = (): Component[] =>
  listComponents().filter((component) => component.provides.some((name) => locateBinary(name) === undefined));

/** The binaries that the folder of `KUBEBUILDER_ASSETS` lacks, and that no build provides. */
const listMissingAssets = (): BinaryName[] =>
  process.env.KUBEBUILDER_ASSETS ? ASSETS.filter((name) => locateBinary(name) === undefined) : [];

/** Explains in one line what is skipped because binaries are missing, and how to get them. */
export function explainMissingBinaries(skipped: string): string {
  const missing = listMissingAssets();
  return missing.length > 0
    ? `${skipped}: KUBEBUILDER_ASSETS is set, but its folder has no ${missing.join(', ')}`
    : `${skipped}: no Kubernetes API server to start; get one with \`npm run cluster:build\` (Go 1.26, about five minutes, once)`;
}

/**
 * Looks in `KUBEBUILDER_ASSETS`, then in the cache, then, only if `KUBEBUILDER_ASSETS` is set, in the `PATH`. kwok's stages belong to a
 * version of kwok, so these two are never taken from the `PATH`.
 */
function locateBinary(name: BinaryName): string | undefined {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const cached = listComponents().flatMap(({ provides, directory }) => (provides.includes(name) ? [directory] : []));
  if (!assets) return firstUsable(name, cached);
  if (ASSETS.includes(name)) return firstUsable(name, [assets]);
  const path = name === 'kwok' || name === 'stages' ? [] : (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return firstUsable(name, [assets, ...cached, ...path]);
}

const firstUsable = (name: BinaryName, folders: readonly string[]): string | undefined =>
  folders.map((folder) => join(folder, name)).find(isExecutable);

/** Whether this is a program that may be run or a folder that may be entered. */
function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
