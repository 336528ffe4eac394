import { join } from 'node:path';
import type { BinaryName } from './kubernetes-components.ts';

/** The paths of a cluster's files, below the folder that is removed with it. */
export const clusterPaths = (directory: string) => ({
  facts: join(directory, 'cluster.json'),
  kubeconfig: join(directory, 'kubeconfig.yaml'),
  /** The API server's own certificate, which it writes itself and which is the authority too. */
  ca: join(directory, 'certificates', 'apiserver.crt'),
  certificates: join(directory, 'certificates'),
  tokens: join(directory, 'tokens.csv'),
  serviceAccountKey: join(directory, 'service-account.key'),
  serviceAccountPublicKey: join(directory, 'service-account.pub'),
  etcd: join(directory, 'etcd'),
  log: (name: string) => join(directory, `${name}.log`),
});

export interface ProcessSpec {
  name: BinaryName;
  args: readonly string[];
}

const flags = (values: Record<string, string | number | boolean>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

export function etcdProcess(directory: string, port: number): ProcessSpec {
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'etcd',
    args: flags({
      'data-dir': clusterPaths(directory).etcd,
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': 'http://127.0.0.1:0',
      // The data lives no longer than the process.
      'unsafe-no-fsync': true,
    }),
  };
}

export function apiServerProcess(directory: string, etcdPort: number, port: number): ProcessSpec {
  const paths = clusterPaths(directory);
  return {
    name: 'kube-apiserver',
    args: flags({
      'etcd-servers': `http://127.0.0.1:${etcdPort}`,
      'bind-address': '127.0.0.1',
      'secure-port': port,
      'cert-dir': paths.certificates,
      'authorization-mode': 'RBAC',
      'token-auth-file': paths.tokens,
      'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
      'service-account-key-file': paths.serviceAccountPublicKey,
      'service-account-signing-key-file': paths.serviceAccountKey,
      'service-cluster-ip-range': '10.96.0.0/16',
      'allow-privileged': true,
      // The `kubernetes` service can't have a loopback endpoint. Without this the API server tries it, and logs that, again and again.
      'endpoint-reconciler-type': 'none',
    }),
  };
}

export function controllerManagerProcess(directory: string): ProcessSpec {
  const paths = clusterPaths(directory);
  return {
    name: 'kube-controller-manager',
    args: flags({
      kubeconfig: paths.kubeconfig,
      'service-account-private-key-file': paths.serviceAccountKey,
      // Every namespace gets the ConfigMap kube-root-ca.crt, as in a real cluster: an object that no stack may prune.
      'root-ca-file': paths.ca,
      'use-service-account-credentials': false,
      'leader-elect': false,
      'secure-port': 0,
      controllers: '*,-nodeipam,-cloud-node-lifecycle',
      // The simulated heartbeat may be late on a busy machine. No test is about a node that goes away.
      'node-monitor-grace-period': '10m',
      // The defaults are for clusters with many users; here they would only make tests wait.
      'kube-api-qps': 500,
      'kube-api-burst': 1000,
      'horizontal-pod-autoscaler-sync-period': '2s',
    }),
  };
}

export const schedulerProcess = (directory: string): ProcessSpec => ({
  name: 'kube-scheduler',
  args: flags({ kubeconfig: clusterPaths(directory).kubeconfig, 'leader-elect': false, 'secure-port': 0 }),
});

export const kwokProcess = (directory: string, stageFiles: readonly string[]): ProcessSpec => ({
  name: 'kwok',
  args: [
    ...flags({ kubeconfig: clusterPaths(directory).kubeconfig, 'manage-all-nodes': true, cidr: '10.244.0.0/16' }),
    ...stageFiles.map((file) => `--config=${file}`),
  ],
});
