import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { attachCluster, type TestCluster } from './start-cluster.ts';
import { TEST_CLUSTER_VARIABLE, type TestClusterNote } from './test-cluster-note.ts';

/** `describe` where this run has a cluster; elsewhere its tests are skipped, and the global setup has said so in one line. */
export const describeKubernetes: typeof describe | typeof describe.skip = process.env[TEST_CLUSTER_VARIABLE] ? describe : describe.skip;

let attached: Promise<TestCluster> | undefined;

/**
 * The cluster of this run, as soon as it is ready. It may still be starting, on a machine that is busy with other tests:
 * call it in a `beforeAll` with a minute or more.
 */
export function testCluster(): Promise<TestCluster> {
  attached ??= attachCluster((JSON.parse(process.env[TEST_CLUSTER_VARIABLE] ?? '{}') as TestClusterNote).directory);
  return attached;
}

/** A new namespace with a name of its own: tests share the cluster, and nothing else. */
export async function createTestNamespace(cluster: TestCluster, purpose = 'test'): Promise<string> {
  const name = `${purpose}-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', name]);
  return name;
}
