import { stopTestCluster } from './launch-test-cluster.ts';

/** For jest's `globalTeardown`, which takes default exports only. */
export default async function tearDownKubernetes(): Promise<void> {
  await stopTestCluster();
}
