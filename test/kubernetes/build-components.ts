import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { explainMissingBinaries, findBinaries, listMissingComponents } from './kubernetes-binaries.ts';
import { type Component, cacheFolder, controlPlaneSource, kwokModule, kwokStages } from './kubernetes-components.ts';

export interface BuildOptions {
  /** Receives a line of progress at least every few seconds. */
  report: (line: string) => void;
  signal?: AbortSignal;
}

const REPORT_EVERY_MS = 10_000;
const ABANDONED_AFTER_MS = 24 * 3600_000;

/** Builds the missing components; returns at once if none is missing. Several builds at the same time do no harm. */
export async function buildComponents({ report, signal }: BuildOptions): Promise<void> {
  for (const component of listMissingComponents()) await buildComponent(component, { report, ...(signal && { signal }) });
  if (!findBinaries()) throw new Error(explainMissingBinaries('Not everything is there'));
}

/** Builds into a temporary folder and renames it, so that a component is either complete or missing. */
async function buildComponent(component: Component, options: BuildOptions): Promise<void> {
  const startedMs = performance.now();
  await mkdir(cacheFolder(), { recursive: true });
  await removeAbandonedBuilds();
  const folder = await mkdtemp(join(cacheFolder(), 'building-'));
  try {
    await (component.name === 'control-plane' ? buildControlPlane : buildModule)(component, folder, options);
    if (component.name === 'kwok') await copyStages(folder, options);
    await rename(folder, component.directory).catch(async (error: NodeJS.ErrnoException) => {
      // Another build was faster; its folder has the same content.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    options.report(`${component.title}: built in ${elapsed(startedMs)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds one binary and links it under its many names, in the layout of `KUBEBUILDER_ASSETS`. */
async function buildControlPlane(component: Component, folder: string, options: BuildOptions): Promise<void> {
  const args = ['build', '-v', '-trimpath', `-ldflags=${component.ldflags}`, '-o', join(folder, component.name), component.package];
  await runGo(component.title, args, { ...options, cwd: controlPlaneSource });
  for (const name of component.provides) await symlink(component.name, join(folder, name));
}

const buildModule = (component: Component, folder: string, options: BuildOptions): Promise<unknown> =>
  runGo(component.title, ['install', '-v', '-trimpath', `-ldflags=${component.ldflags}`, component.package], {
    ...options,
    cwd: folder,
    env: { GOBIN: folder },
  });

async function copyStages(folder: string, options: BuildOptions): Promise<void> {
  const described = await runGo('kwok stages', ['mod', 'download', '-json', kwokModule], { ...options, cwd: folder });
  const { Dir } = JSON.parse(described) as { Dir: string };
  await mkdir(join(folder, 'stages'));
  for (const path of kwokStages) await copyFile(join(Dir, path), join(folder, 'stages', basename(path)));
}

interface GoOptions extends BuildOptions {
  cwd: string;
  env?: Record<string, string>;
}

/** Runs Go and resolves to its standard output. Its standard error becomes progress lines, and part of the error if it fails. */
async function runGo(title: string, args: readonly string[], { report, signal, cwd, env }: GoOptions): Promise<string> {
  const startedMs = performance.now();
  // The user's own settings must not change the build: no workspace, no flags and no C compiler.
  const settings = { GOWORK: 'off', GOFLAGS: '-buildvcs=false', CGO_ENABLED: '0', ...env };
  const go = spawn('go', args, { cwd, env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
  const counted = { downloaded: 0, compiled: 0 };
  const lines: string[] = [];
  let output = '';
  go.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  createInterface({ input: go.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading ')) counted.downloaded++;
    else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) counted.compiled++;
    else lines.push(line);
  });
  const progress = (): void => {
    report(`${title}: ${counted.downloaded} modules fetched, ${counted.compiled} packages compiled, ${elapsed(startedMs)}`);
  };
  const timer = setInterval(progress, REPORT_EVERY_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      go.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? new Error(GO_IS_MISSING) : error));
      go.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`go ${args[0]} failed\n${lines.slice(-20).join('\n')}`))));
    });
    return output;
  } finally {
    clearInterval(timer);
  }
}

const GO_IS_MISSING =
  'Building Kubernetes needs Go 1.26 or newer, and there is no `go` on the PATH. ' +
  'Install it, or set KUBEBUILDER_ASSETS to a folder that has etcd, kube-apiserver, kube-controller-manager, ' +
  'kube-scheduler, kubectl, helm, kwok and stages/ (the stage files of kwok).';

/** A killed build leaves its folder behind. No build takes a day, so a folder of that age is removed. */
async function removeAbandonedBuilds(): Promise<void> {
  const names = (await readdir(cacheFolder())).filter((name) => name.startsWith('building-'));
  for (const folder of names.map((name) => join(cacheFolder(), name))) {
    const state = await stat(folder).catch(() => undefined);
    if (state && Date.now() - state.mtimeMs > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}

function elapsed(sinceMs: number): string {
  const seconds = Math.round((performance.now() - sinceMs) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
