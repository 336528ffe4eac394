import { launchTestCluster } from './launch-test-cluster.ts';

/** For jest's `globalSetup`, which takes default exports only. */
export default async function setUpKubernetes(): Promise<void> {
  launchTestCluster();
}
