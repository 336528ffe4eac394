import { access, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterFacts } from './boot-cluster.ts';
import { type ClusterClient, clusterClient } from './cluster-client.ts';
import { ownSupervisor } from './cluster-owner.ts';
import { clusterPaths } from './cluster-processes.ts';
import { type Binaries, explainMissingBinaries, findBinaries } from './kubernetes-binaries.ts';

/**
 * A Kubernetes control plane on 127.0.0.1 with one simulated node. Admission, RBAC, tokens, controllers and scheduling are real; pods
 * are simulated. On two idle cores it is ready after 4 s (its API server after 2.5 s) and gone 0.1 s after the stop. It takes about
 * 700 MB of memory.
 */
export interface TestCluster extends ClusterClient, ClusterFacts {
  /** The cluster's folder, with a log for each process. It is removed with the cluster. */
  directory: string;
  /** The path of the administrator's kubeconfig. */
  kubeconfigPath: string;
  caPath: string;
  binaries: Binaries;
  supervisorId: number;
  /** The ids of all processes of the cluster, including the supervisor. */
  processIds: number[];
}

export interface RunningCluster extends TestCluster {
  stop(): Promise<void>;
}

export interface LaunchedCluster {
  directory: string;
  /** Rejects with the reason if the cluster does not start. */
  ready: Promise<TestCluster>;
  /** Resolves when the cluster is gone. If `stop` was not called, it resolves to the reason. */
  ended: Promise<string | undefined>;
  stop(): Promise<void>;
  /** Lets this process end although the cluster still runs. */
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
  // Callers that wait for `ready` get the failure. For others it must not be an unhandled rejection.
  ready.catch(() => {});
  failed.catch(() => {});
  return { ...supervisor, ready };
}

/** Resolves when the cluster is ready to use. */
export async function startCluster(options: StartOptions = {}): Promise<RunningCluster> {
  const launched = launchCluster(options);
  return { ...(await launched.ready), stop: launched.stop };
}

/** Waits for the cluster in this folder, which another process has launched and owns. */
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
