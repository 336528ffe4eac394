import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, createClusterAgent } from '../agent/agent.ts';
import type { Cluster } from '../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../agent/cluster/kubernetes/kubernetes-cluster.ts';
import { loadAgentConfig } from '../agent/config.ts';
import type { ControlPlane } from '../agent/control-plane/control-plane.ts';
import { createHttpControlPlane } from '../agent/control-plane/http-control-plane.ts';
import { type RunningCluster, startCluster } from '../test/kubernetes/start-cluster.ts';
import { type BenchClient, benchClient } from './bench-client.ts';
import { createBenchAgent, createBenchGenerator } from './bench-fleet.ts';
import { startHostProcess } from './host-process.ts';

export interface BenchReport {
  atMs: number;
  status: string;
  message: string;
}

/** A server in its own process, a real API server, and an agent in this process. */
export interface AgentRig {
  client: BenchClient;
  agent: Agent;
  cluster: Cluster;
  kubernetes: RunningCluster;
  /** Creates a stack with a target to the agent. */
  createStack(name: string): Promise<string>;
  submit(stackId: string, yaml: string): Promise<string>;
  /** Creates a work order for the agent. */
  order(yaml: string): Promise<string>;
  /** Resolves with the agent's report on this deployment object. */
  reported(deploymentObjectId: string): Promise<BenchReport>;
  /** The time at which the API server last answered that it has stored the object of this name. */
  storedAtMs(name: string): number;
  stop(): Promise<void>;
}

export async function startAgentRig({ pollingIntervalMs }: { pollingIntervalMs: number }): Promise<AgentRig> {
  const [kubernetes, host, stateDir] = await Promise.all([startCluster(), startHostProcess(), mkdtemp(join(tmpdir(), 'brokkr-bench-'))]);
  const client = benchClient(host.url, host.adminPak);
  const generator = await createBenchGenerator(client);
  const { id, pak } = await createBenchAgent(client, 'bench', generator);
  const stored = new Map<string, number>();
  const plainCluster = await createKubernetesCluster({ kubeconfigPath: kubernetes.kubeconfigPath });
  const cluster: Cluster = {
    ...plainCluster,
    async apply(manifest, options) {
      const live = await plainCluster.apply(manifest, options);
      if (!options.dryRun) stored.set(manifest.metadata.name, performance.now());
      return live;
    },
  };
  const environment = {
    BROKKR__AGENT__PAK: pak,
    BROKKR__AGENT__BROKER_URL: host.url,
    BROKKR__AGENT__AGENT_NAME: 'bench',
    BROKKR__AGENT__CLUSTER_NAME: 'bench',
  };
  const config = { ...loadAgentConfig({ environment, readFile: () => '' }), stateDir, pollingIntervalMs, massDeletion: 'allow' as const };

  const reports = new Map<string, BenchReport>();
  const waiting = new Map<string, (report: BenchReport) => void>();
  const plain = createHttpControlPlane({ baseUrl: host.url, pak });
  const controlPlane: ControlPlane = {
    ...plain,
    async report(agentId, event, signal) {
      await plain.report(agentId, event, signal);
      // The server has stored the report, so that anybody can read it from now on.
      const report = { atMs: performance.now(), status: event.status, message: event.message ?? '' };
      reports.set(event.deployment_object_id, report);
      waiting.get(event.deployment_object_id)?.(report);
    },
  };
  const agent = createClusterAgent({ config, cluster, controlPlane });
  await agent.start();

  return {
    client,
    agent,
    cluster,
    kubernetes,
    async createStack(name) {
      const stack = await client.call<{ id: string }>('POST', '/api/v1/stacks', { body: { name, generator_id: generator } });
      await client.call('POST', `/api/v1/agents/${id}/targets`, { body: { agent_id: id, stack_id: stack.id } });
      return stack.id;
    },
    submit: async (stackId, yaml) =>
      (await client.call<{ id: string }>('POST', `/api/v1/stacks/${stackId}/deployment-objects`, { body: { yaml_content: yaml } })).id,
    order: async (yaml_content) =>
      (
        await client.call<{ id: string }>('POST', '/api/v1/work-orders', {
          body: { work_type: 'custom', yaml_content, targeting: { agent_ids: [id] } },
        })
      ).id,
    reported: (deploymentObjectId) => {
      const report = reports.get(deploymentObjectId);
      return report ? Promise.resolve(report) : new Promise((resolve) => waiting.set(deploymentObjectId, resolve));
    },
    storedAtMs: (name) => stored.get(name) ?? Number.NaN,
    async stop() {
      await agent.stop();
      await Promise.allSettled([plain.close(), cluster.close(), client.close(), host.stop(), kubernetes.stop()]);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
