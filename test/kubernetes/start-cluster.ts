import { access, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterFacts } from './boot-cluster.ts';
import { type ClusterClient, clusterClient } from './cluster-client.ts';
import { ownSupervisor } from './cluster-owner.ts';
import { clusterPaths } from './cluster-processes.ts';
import { type Binaries, explainMissingBinaries, findBinaries } from './kubernetes-binaries.ts';

/**
 * A Kubernetes control plane on 127.0.0.1 with one simulated node: real admission, RBAC, tokens, controllers and scheduling;
 * its pods only look as if they ran. On two idle cores it is ready 4 s after the start (its API server after 2.5) and gone
 * 0.1 s after the stop; it takes about 700 MB of memory.
 */
export interface TestCluster extends ClusterClient, ClusterFacts {
  /** Removed with the cluster. Has a log per process. */
  directory: string;
  /** The administrator's. */
  kubeconfigPath: string;
  caPath: string;
  binaries: Binaries;
  supervisorId: number;
  /** Of everything the cluster consists of, the supervisor included. */
  processIds: number[];
}

export interface RunningCluster extends TestCluster {
  stop(): Promise<void>;
}

export interface LaunchedCluster {
  directory: string;
  /** Rejects with why where it does not start. */
  ready: Promise<TestCluster>;
  /** Resolves when all of it is gone: to why, where nobody had asked for it. */
  ended: Promise<string | undefined>;
  stop(): Promise<void>;
  /** It no longer keeps this process from ending by itself. */
  unref(): void;
}

export interface StartOptions {
  /** Receives lines of progress. */
  log?: (line: string) => void;
  binaries?: Binaries;
}

/** Returns at once. The cluster ends with `stop`, and with this process, however that ends. */
export function launchCluster({ log = () => {}, binaries = findBinaries() }: StartOptions = {}): LaunchedCluster {
  if (!binaries) throw new Error(explainMissingBinaries('A cluster cannot start'));
  const supervisor = ownSupervisor(binaries, log);
  const failed = supervisor.ended.then((why) => Promise.reject(new Error(`the cluster did not start: ${why ?? 'it was stopped'}`)));
  const ready = Promise.race([attachCluster(supervisor.directory), failed]);
  // Who waits for it hears of it; who does not is not brought down by it.
  ready.catch(() => {});
  failed.catch(() => {});
  return { ...supervisor, ready };
}

/** Resolves when the cluster is ready to use. */
export async function startCluster(options: StartOptions = {}): Promise<RunningCluster> {
  const launched = launchCluster(options);
  return { ...(await launched.ready), stop: launched.stop };
}

/** The cluster in this folder, which another process has launched and owns, as soon as it is ready. */
export async function attachCluster(directory: string, timeoutMs = 300_000): Promise<TestCluster> {
  const paths = clusterPaths(directory);
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    const text = await readFile(paths.facts, 'utf8').catch(() => undefined);
    if (text !== undefined) return describeCluster(directory, text);
    await access(directory).catch(() => Promise.reject(new Error('the cluster did not start, or was stopped: its owner says why')));
    await sleep(50);
  }
  throw new Error(`the cluster was not ready after ${timeoutMs / 1000} s`);
}

function describeCluster(directory: string, text: string): TestCluster {
  const facts = JSON.parse(text) as ClusterFacts & { binaries: Binaries; supervisorId: number; processIds: number[] };
  const { kubeconfig, ca } = clusterPaths(directory);
  return { ...facts, directory, kubeconfigPath: kubeconfig, caPath: ca, ...clusterClient({ directory, ...facts }) };
}
