import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { attachCluster, type Cluster } from './cluster.ts';
import { TEST_CLUSTER_VARIABLE, type TestClusterNote } from './test-cluster-note.ts';

/** `describe` where this run has a cluster; elsewhere its tests are skipped, and the global setup has said so in one line. */
export const describeKubernetes: typeof describe | typeof describe.skip = process.env[TEST_CLUSTER_VARIABLE] ? describe : describe.skip;

let attached: Promise<Cluster> | undefined;

/** The cluster of this run, as soon as it is ready: it may still be starting. */
export function testCluster(): Promise<Cluster> {
  attached ??= attachCluster((JSON.parse(process.env[TEST_CLUSTER_VARIABLE] ?? '{}') as TestClusterNote).directory);
  return attached;
}

/** A new namespace with a name of its own: tests share the cluster, and nothing else. */
export async function createTestNamespace(cluster: Cluster, purpose = 'test'): Promise<string> {
  const name = `${purpose}-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', name]);
  return name;
}
