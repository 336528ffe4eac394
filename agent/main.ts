import { readFileSync } from 'node:fs';
import { systemClock } from '../lib/platform/clock.ts';
import { createLog } from '../lib/platform/log.ts';
import { createClusterAgent } from './agent.ts';
import type { Cluster } from './cluster/cluster.ts';
import { type AgentConfig, loadAgentConfig } from './config.ts';
import { ControlPlaneError } from './control-plane/control-plane.ts';
import { createHttpControlPlane } from './control-plane/http-control-plane.ts';
import { startHealthServer } from './health-server.ts';
import { NotThisAgentError } from './join.ts';

/** Kubernetes gives a pod 30 s from SIGTERM to SIGKILL. */
const STOP_WITHIN_MS = 25_000;

async function main(): Promise<void> {
  const config = loadAgentConfig();
  const log = createLog({ level: config.logLevel });
  const cluster = await createCluster(config);
  const controlPlane = createHttpControlPlane({ baseUrl: config.brokerUrl, pak: config.pak, readPak: () => loadAgentConfig().pak });
  const agent = createClusterAgent({ config, cluster, controlPlane, log });
  const server = await startHealthServer({ agent, port: config.healthPort, version: version(), clock: systemClock });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info('agent_stopping', { signal });
    setTimeout(() => {
      log.warn('agent_stopped_in_the_middle');
      process.exit(0);
    }, STOP_WITHIN_MS).unref();
    await agent.stop();
    await Promise.allSettled([server.close(), controlPlane.close(), cluster.close()]);
    log.info('agent_stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));

  try {
    await agent.start();
  } catch (error) {
    if (stopping) return;
    // People mend the control plane's address or its refusal: the reason is enough.
    const isTheirs = error instanceof NotThisAgentError || error instanceof ControlPlaneError;
    log.error('agent_not_started', isTheirs ? { why: error.message } : { error });
    process.exit(1);
  }
}

/** Loaded only if it is used: the Kubernetes client takes its time. */
async function createCluster({ cluster, kubeconfigPath }: AgentConfig): Promise<Cluster> {
  if (cluster === 'memory') return (await import('./cluster/memory/memory-cluster.ts')).createMemoryCluster();
  const { createKubernetesCluster } = await import('./cluster/kubernetes/kubernetes-cluster.ts');
  return createKubernetesCluster(kubeconfigPath === undefined ? {} : { kubeconfigPath });
}

function version(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
