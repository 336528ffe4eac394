import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { attachCluster, type TestCluster } from './start-cluster.ts';
import { TEST_CLUSTER_VARIABLE, type TestClusterNote } from './test-cluster-note.ts';

/** `describe` if this run has a cluster. Otherwise its tests are skipped, and the global setup has said so. */
export const describeKubernetes: typeof describe | typeof describe.skip = process.env[TEST_CLUSTER_VARIABLE] ? describe : describe.skip;

let attached: Promise<TestCluster> | undefined;

/**
 * Waits for the cluster of this run. It may still be starting on a machine that is busy with other tests, so call this in a `beforeAll`
 * with a time-out of a minute or more.
 */
export function testCluster(): Promise<TestCluster> {
  attached ??= attachCluster((JSON.parse(process.env[TEST_CLUSTER_VARIABLE] ?? '{}') as TestClusterNote).directory);
  return attached;
}

/** Creates a namespace with a unique name: tests share the cluster and nothing else. */
export async function createTestNamespace(cluster: TestCluster, purpose = 'test'): Promise<string> {
  const name = `${purpose}-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', name]);
  return name;
}
