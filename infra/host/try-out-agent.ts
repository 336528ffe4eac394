import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Services } from '../../functions/services.ts';
import { findAgentIdByName } from '../../lib/fleet/agents/agent-repository.ts';
import { ACTIVE } from '../../lib/fleet/agents/agent-rules.ts';
import { createAgent, getAgent, rotateAgentPak, updateAgent } from '../../lib/fleet/agents/agent-service.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import type { Host } from './start-host.ts';

/** The agent of `npm start -- --try`. It is a real agent in this process, so that a newcomer sees how a stack is applied. */
export interface TryOutAgent {
  id: string;
  name: string;
  /** `kubernetes` if a kubeconfig was given, otherwise `memory`. */
  cluster: 'memory' | 'kubernetes';
  /** The reason why its cluster did not answer at the start; undefined if it did. The agent keeps trying. */
  unreachable: string | undefined;
  stop(): Promise<void>;
}

export interface TryOutOptions {
  host: Pick<Host, 'url' | 'app'>;
  /** The folder of the agent's key and state; nothing is kept if absent. */
  dataDir: string | undefined;
  /** The kubeconfig of its cluster; a cluster in memory if absent. */
  kubeconfig: string | undefined;
}

const NAME = 'try-out';
/** The agent polls often, because somebody is watching it. */
const POLLING_SECONDS = '1';
/** A cluster that has not answered after this time is reported as unreachable. */
const CLUSTER_ANSWER_MS = 3_000;

/** Creates the agent's record if it is missing, activates and starts the agent. Its cluster need not answer yet. */
export async function startTryOutAgent({ host, dataDir, kubeconfig }: TryOutOptions): Promise<TryOutAgent> {
  const kind = kubeconfig === undefined ? 'memory' : 'kubernetes';
  const { services } = host.app;
  const { id, pak } = await enlist(services, kind, dataDir && join(dataDir, `${NAME}-${kind}.pak`));
  // These modules are loaded only here, since the Kubernetes client is slow to load.
  const [{ createClusterAgent }, { loadAgentConfig }, { createHttpControlPlane }, { createMemoryFiles }] = await Promise.all([
    import('../../agent/agent.ts'),
    import('../../agent/config.ts'),
    import('../../agent/control-plane/http-control-plane.ts'),
    import('../../agent/state/state-files.ts'),
  ]);
  const environment = {
    BROKKR__AGENT__BROKER_URL: host.url,
    BROKKR__AGENT__PAK: pak,
    BROKKR__AGENT__AGENT_NAME: NAME,
    BROKKR__AGENT__CLUSTER_NAME: kind,
    BROKKR__AGENT__CLUSTER: kind,
    BROKKR__AGENT__POLLING_INTERVAL: POLLING_SECONDS,
    BROKKR__AGENT__STATE_DIR: join(dataDir ?? '', 'agent', `${NAME}-${kind}`),
  };
  const readNothing = () => {
    throw new Error('the try-out agent reads no files');
  };
  const config = loadAgentConfig({ environment, readFile: readNothing });
  const cluster = await clusterOf(kubeconfig);
  const controlPlane = createHttpControlPlane({ baseUrl: config.brokerUrl, pak });
  // A cluster in memory is empty at each start, so its agent must not remember the cluster before it.
  const keepsNothing = kind === 'memory' || dataDir === undefined;
  const log = services.log.with({ agent: NAME });
  const agent = createClusterAgent({ config, cluster, controlPlane, log, ...(keepsNothing && { files: createMemoryFiles() }) });
  const stop = async () => {
    await agent.stop();
    await Promise.allSettled([controlPlane.close(), cluster.close()]);
  };
  try {
    const unreachable = await cluster.version(AbortSignal.timeout(CLUSTER_ANSWER_MS)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    await agent.start();
    return { id, name: NAME, cluster: kind, unreachable, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function clusterOf(kubeconfigPath: string | undefined) {
  if (kubeconfigPath === undefined) return (await import('../../agent/cluster/memory/memory-cluster.ts')).createMemoryCluster();
  return (await import('../../agent/cluster/kubernetes/kubernetes-cluster.ts')).createKubernetesCluster({ kubeconfigPath });
}

/** Makes sure that the agent has an ACTIVE record. Returns its key: the one in the file, or a new one if that is missing. */
async function enlist(services: Services, cluster: string, pakFile: string | undefined): Promise<{ id: string; pak: string }> {
  const caller: Caller = { principal: { type: 'admin' }, ip: undefined, userAgent: 'npm start -- --try' };
  const known = await findAgentIdByName(services.database, cluster, NAME);
  if (known === undefined) {
    const { agent, initial_pak } = await createAgent(services, caller, {
      name: NAME,
      cluster_name: cluster,
      // The first stack of a newcomer belongs to the admin generator.
      generator_ids: [services.installation.admin_generator_id],
      status: ACTIVE,
    });
    await keep(pakFile, initial_pak);
    return { id: agent.id, pak: initial_pak };
  }
  if ((await getAgent(services, known)).status !== ACTIVE) await updateAgent(services, caller, known, { status: ACTIVE });
  const kept = pakFile === undefined ? undefined : await readFile(pakFile, 'utf8').catch(() => undefined);
  if (kept) return { id: known, pak: kept.trim() };
  const { pak } = await rotateAgentPak(services, caller, known);
  await keep(pakFile, pak);
  return { id: known, pak };
}

async function keep(file: string | undefined, pak: string): Promise<void> {
  if (file === undefined) return;
  await writeFile(file, `${pak}\n`, { mode: 0o600 });
  // `writeFile` sets the mode of new files only.
  await chmod(file, 0o600);
}
