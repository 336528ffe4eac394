import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BinaryName, binaryNames, type Component, listComponents } from './kubernetes-components.ts';

/** Absolute paths of everything a cluster is started from. */
export type Binaries = Record<BinaryName, string>;

/** What `KUBEBUILDER_ASSETS` always holds. Where it is set these come from it alone: a mixture with ours would test neither. */
const ASSETS: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** Everything needed, or undefined where a part is missing. */
export function findBinaries(): Binaries | undefined {
  const found: Partial<Binaries> = {};
  for (const name of binaryNames) {
    const path = locateBinary(name);
    if (path !== undefined) found[name] = path;
  }
  return isComplete(found) ? found : undefined;
}

const isComplete = (found: Partial<Binaries>): found is Binaries => binaryNames.every((name) => found[name] !== undefined);

/** The components that have to be built before a cluster can start: none where what they provide is found elsewhere. */
export const listMissingComponents = (): Component[] =>
  listComponents().filter((component) => component.provides.some((name) => locateBinary(name) === undefined));

/** What no build will bring: the folder `KUBEBUILDER_ASSETS` names lacks them. */
const listMissingAssets = (): BinaryName[] =>
  process.env.KUBEBUILDER_ASSETS ? ASSETS.filter((name) => locateBinary(name) === undefined) : [];

/** One line for people who have not built them: what is left out, and how to get it. */
export function explainMissingBinaries(leftOut: string): string {
  const missing = listMissingAssets();
  return missing.length > 0
    ? `${leftOut}: KUBEBUILDER_ASSETS is set, but its folder has no ${missing.join(', ')}`
    : `${leftOut}: no Kubernetes API server to start; get one with \`npm run cluster:build\` (Go 1.26, about five minutes, once)`;
}

/**
 * `KUBEBUILDER_ASSETS` first, then the cache, then, only for who brings their own Kubernetes, the `PATH`.
 * kwok's stages belong to a version of kwok, so these two are never taken from the `PATH`.
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

/** True for a program one may run and for a folder one may enter. */
function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
