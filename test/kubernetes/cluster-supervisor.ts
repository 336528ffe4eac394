/**
 * The process that owns a cluster: it starts the cluster's processes and ends with its owner. Its standard input is a pipe from the
 * owner. When that closes, by a stop or because the owner was killed, the supervisor ends the processes and removes their folder. Its
 * one argument is a SupervisorRequest as JSON. It writes progress to standard output, the reason of a failure to standard error, and
 * `cluster.json` into the folder when the cluster is ready.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootCluster, type ClusterFacts } from './boot-cluster.ts';
import { clusterPaths, type ProcessSpec } from './cluster-processes.ts';
import type { Binaries } from './kubernetes-binaries.ts';

export interface SupervisorRequest {
  /** An existing, empty folder that only this cluster uses. */
  directory: string;
  binaries: Binaries;
}

const BOOT_ATTEMPTS = 3;

const { directory, binaries } = JSON.parse(process.argv[2] ?? '') as SupervisorRequest;
const paths = clusterPaths(directory);
const children = new Set<ChildProcess>();
let isStopping = false;

async function bootWithRetries(): Promise<AbortSignal> {
  for (let attempt = 1; ; attempt++) {
    const ended = new AbortController();
    try {
      const start = starter(ended);
      await publishFacts(await bootCluster({ directory, stages: binaries.stages, start, report: console.log, signal: ended.signal }));
      return ended.signal;
    } catch (error) {
      // Another process may take a port between the moment it is found free and the moment it is used.
      if (isStopping || attempt === BOOT_ATTEMPTS || !/address already in use/.test(String(error))) throw error;
      console.log('a port was taken by another process: trying others');
      ended.abort(error);
      await killChildren();
      for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}

/** Writes the facts with a rename, so that readers see the whole file or none. */
async function publishFacts(facts: ClusterFacts): Promise<void> {
  const supervisorId = process.pid;
  const processIds = [supervisorId, ...[...children].map((child) => child.pid)];
  await writeFile(`${paths.facts}.new`, JSON.stringify({ ...facts, binaries, supervisorId, processIds }), { mode: 0o600 });
  await rename(`${paths.facts}.new`, paths.facts);
}

/** Starts a process of the cluster. If it ends by itself, the whole cluster ends, and the error contains its last log lines. */
const starter =
  (ended: AbortController) =>
  ({ name, args }: ProcessSpec): void => {
    if (isStopping || ended.signal.aborted) return;
    const log = openSync(paths.log(name), 'a');
    const child = spawn(binaries[name], args, { cwd: directory, stdio: ['ignore', log, log] });
    closeSync(log);
    children.add(child);
    child.on('error', (error) => ended.abort(error));
    child.on('exit', (code, signal) => {
      children.delete(child);
      if (isStopping || ended.signal.aborted) return;
      const lines = readFileSync(paths.log(name), 'utf8').trimEnd().split('\n').slice(-20);
      ended.abort(new Error(`${name} ended with ${signal ?? `code ${code}`}; its last lines:\n${lines.join('\n')}`));
    });
  };

async function fail(error: unknown): Promise<void> {
  if (!isStopping) console.error(error instanceof Error ? [error.message, error.cause].filter(Boolean).join(': ') : error);
  await stop(1);
}

async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await killChildren();
  // A kubectl may still be writing its cache there.
  await rm(directory, { recursive: true, force: true, maxRetries: 10 }).catch(() => {});
  process.exit(exitCode);
}

/** Kills the processes without asking: none of their data is kept, and a clean stop of the API server would take seconds. */
async function killChildren(): Promise<void> {
  await Promise.all(
    [...children].map((child) => {
      if (child.pid === undefined) return undefined;
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      return exit;
    }),
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
process.stdin.on('end', () => void stop(0)).on('error', () => void stop(0));
process.stdin.resume();
// The reader of these streams may be gone. That is handled above, by the end of standard input.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});

try {
  const ended = await bootWithRetries();
  ended.addEventListener('abort', () => void fail(ended.reason));
  if (ended.aborted) await fail(ended.reason);
} catch (error) {
  await fail(error);
}
