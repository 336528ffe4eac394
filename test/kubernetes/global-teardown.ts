import { stopTestCluster } from './launch-test-cluster.ts';

/** Jest's `globalTeardown`, which must be a default export. */
export default async function tearDownKubernetes(): Promise<void> {
  await stopTestCluster();
}
