import { type Agent, createClusterAgent } from '../../agent/agent.ts';
import type { Cluster } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import type { AgentConfig } from '../../agent/config.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { createTestNamespace, testCluster } from '../kubernetes/test-cluster.ts';
import { TEST_CONFIG } from './agent-world.ts';
import { installAgentIdentity } from './chart-identity.ts';
import type { ModelControlPlane } from './model-control-plane.ts';

/** A namespace on the real API server, and agents at home in it. */
export interface AgentsOnKubernetes {
  kubernetes: TestCluster;
  /** With the rights of the agent's chart. */
  cluster: Cluster;
  namespace: string;
  /** An agent that polls only when told: the tests decide when. */
  start(plane: ModelControlPlane, over?: Partial<AgentConfig>, files?: ReturnType<typeof createMemoryFiles>): Promise<Agent>;
  stop(): Promise<void>;
}

/** `rbac` is the chart's own value. The cluster may still be starting: give it two minutes. */
export async function agentsOnKubernetes(rbac: object): Promise<AgentsOnKubernetes> {
  const kubernetes = await testCluster();
  const namespace = await createTestNamespace(kubernetes, 'agent');
  const cluster = await createKubernetesCluster({
    kubeconfigPath: await installAgentIdentity(kubernetes, { namespace, values: { rbac } }),
  });
  const agents: Agent[] = [];
  return {
    kubernetes,
    cluster,
    namespace,
    async start(plane, over = {}, files = createMemoryFiles()) {
      const home = { inventoryNamespace: namespace, watchNamespace: namespace };
      const config = { ...TEST_CONFIG, pollingIntervalMs: 3_600_000, applyParallelism: 32, ...home, ...over };
      const agent = createClusterAgent({ config, cluster, controlPlane: plane, files });
      agents.push(agent);
      await agent.start();
      return agent;
    },
    async stop() {
      await Promise.all(agents.map((agent) => agent.stop()));
      await cluster.close();
      await kubernetes.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}
