import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiCaller, findFreePorts, until } from './boot-probes.ts';
import {
  apiServerProcess,
  clusterPaths,
  controllerManagerProcess,
  etcdProcess,
  kwokProcess,
  type ProcessSpec,
  schedulerProcess,
} from './cluster-processes.ts';
import { kubeconfigText } from './kubeconfig-text.ts';

/** The facts that a user of the cluster needs. */
export interface ClusterFacts {
  server: string;
  adminToken: string;
}

export interface BootOptions {
  directory: string;
  /** kwok's stages. */
  stages: string;
  start: (spec: ProcessSpec) => void;
  report: (line: string) => void;
  /** Aborted when a process of the cluster ends or the cluster is stopped. */
  signal: AbortSignal;
}

const NODE_NAME = 'simulated-node';
/** Resolves when the API server is ready and the simulated node takes pods. */
export async function bootCluster({ directory, stages, start, report, signal }: BootOptions): Promise<ClusterFacts> {
  const paths = clusterPaths(directory);
  const adminToken = randomBytes(24).toString('base64url');
  await mkdir(paths.certificates, { recursive: true });
  await writeFile(paths.tokens, `${adminToken},admin,admin,system:masters\n`, { mode: 0o600 });
  await writeServiceAccountKeys(paths.serviceAccountKey, paths.serviceAccountPublicKey);
  const [etcdPort, port] = await findFreePorts();
  const server = `https://127.0.0.1:${port}`;

  report('starting etcd and the API server');
  start(etcdProcess(directory, etcdPort));
  start(apiServerProcess(directory, etcdPort, port));
  const call = apiCaller({ server, token: adminToken, caPath: paths.ca });
  await until('the API server is ready', signal, async () => (await call('GET', '/readyz')).status === 200);

  report('starting the controllers, the scheduler and the simulated node');
  const ca = await readFile(paths.ca, 'utf8');
  await writeFile(paths.kubeconfig, kubeconfigText({ server, ca, token: adminToken, user: 'admin' }), { mode: 0o600 });
  start(controllerManagerProcess(directory));
  start(schedulerProcess(directory));
  start(
    kwokProcess(
      directory,
      (await readdir(stages)).sort().map((file) => join(stages, file)),
    ),
  );
  const create = (path: string, body: unknown): Promise<void> =>
    until(`${path} takes an object`, signal, async () => [201, 409].includes((await call('POST', path, body)).status));
  await create('/api/v1/nodes', simulatedNode);
  await create('/apis/storage.k8s.io/v1/storageclasses', simulatedStorage);
  await until('the node takes pods', signal, async () => takesPods((await call('GET', `/api/v1/nodes/${NODE_NAME}`)).body));
  return { server, adminToken };
}

const capacity = { cpu: '1000', memory: '1Ti', pods: '10000' };
const simulatedNode = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: NODE_NAME,
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: { 'kubernetes.io/hostname': NODE_NAME, 'kubernetes.io/os': 'linux' },
  },
  status: { allocatable: capacity, capacity },
};

/** The default storage class. kwok's stages bind claims of it. */
const simulatedStorage = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'kwok-volume', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kwok.x-k8s.io/volume',
};

/** Whether the node is ready and without the taint that a new node has until a controller has seen it. */
function takesPods(body: string): boolean {
  const { spec, status } = JSON.parse(body) as {
    spec?: { taints?: unknown[] };
    status?: { conditions?: { type: string; status: string }[] };
  };
  const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  return isReady && (spec?.taints ?? []).length === 0;
}

async function writeServiceAccountKeys(privatePath: string, publicPath: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(privatePath, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(publicPath, publicKey.export({ type: 'spki', format: 'pem' }));
}
