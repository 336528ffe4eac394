import { resolve } from 'node:path';
import type { TestCluster } from '../kubernetes/start-cluster.ts';

export const chartPath = resolve(import.meta.dirname, '../../infra/agent/chart');

/** Values as in the chart's values.yaml. What a release can't do without is filled in. */
export type ChartValues = Record<string, unknown>;

export interface AgentIdentityOptions {
  /** Exists. The release goes into it. */
  namespace: string;
  values?: ChartValues;
}

/**
 * Installs the chart as `helm template | kubectl apply` would and resolves to the path of a kubeconfig with a token of its
 * ServiceAccount: whoever uses it has the agent's rights, no more and no fewer.
 */
export async function installAgentIdentity(cluster: TestCluster, { namespace, values = {} }: AgentIdentityOptions): Promise<string> {
  const manifests = await renderChart(cluster, { namespace, values });
  await cluster.kubectl(['apply', '-f', '-'], manifests);
  return cluster.kubeconfigFor({ namespace, serviceAccount: 'brokkr-agent' });
}

/** The chart's manifests as YAML. */
export function renderChart(cluster: Pick<TestCluster, 'helm'>, { namespace, values = {} }: AgentIdentityOptions): Promise<string> {
  const complete = { broker: { url: 'http://brokkr.invalid:3000' }, pak: { value: 'not-a-key' }, ...values };
  return cluster.helm(['template', 'brokkr-agent', chartPath, '--namespace', namespace, '--values', '-'], JSON.stringify(complete));
}
