import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterPaths } from './cluster-processes.ts';
import { kubeconfigText } from './kubeconfig-text.ts';
import type { Binaries } from './kubernetes-binaries.ts';

export interface ClusterClient {
  /** Runs as the administrator, unless `args` name another `--kubeconfig`. Resolves to standard output, rejects with standard error. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  helm(args: readonly string[], stdin?: string): Promise<string>;
  /** Returns the path of a kubeconfig with a token and the rights of this ServiceAccount. */
  kubeconfigFor(identity: ServiceAccountIdentity): Promise<string>;
}

export interface ServiceAccountIdentity {
  namespace: string;
  serviceAccount: string;
  /** At least ten minutes, as the API server requires; an hour if absent. */
  ttlSeconds?: number;
}

const COMMAND_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export function clusterClient({ directory, server, binaries }: { directory: string; server: string; binaries: Binaries }): ClusterClient {
  const paths = clusterPaths(directory);
  // The commands have their own home, so that they don't read the user's configuration and no cache outlives the cluster.
  const env = { PATH: process.env.PATH ?? '', HOME: directory, KUBECONFIG: paths.kubeconfig };
  const kubectl: ClusterClient['kubectl'] = (args, stdin) => run(binaries.kubectl, args, env, stdin);
  return {
    kubectl,
    helm: (args, stdin) => run(binaries.helm, args, env, stdin),
    kubeconfigFor: async ({ namespace, serviceAccount, ttlSeconds = 3600 }) => {
      const token = (await kubectl(['create', 'token', serviceAccount, '--namespace', namespace, `--duration=${ttlSeconds}s`])).trim();
      const file = join(directory, `kubeconfig-${namespace}-${serviceAccount}-${randomUUID()}.yaml`);
      const ca = await readFile(paths.ca, 'utf8');
      await writeFile(file, kubeconfigText({ server, ca, token, user: serviceAccount, namespace }), { mode: 0o600 });
      return file;
    },
  };
}

function run(file: string, args: readonly string[], env: Record<string, string>, stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env, timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const how = error.killed ? 'was killed' : `ended with ${error.signal ?? `code ${error.code}`}`;
      reject(new Error(`${[file.split('/').at(-1), ...args].join(' ')} ${how}: ${stderr.trim()}`));
    });
    // A command that fails early does not read its input to the end.
    child.stdin?.on('error', () => {}).end(stdin);
  });
}
