import { launchTestCluster } from './launch-test-cluster.ts';

/** Jest's `globalSetup`, which must be a default export. */
export default async function setUpKubernetes(): Promise<void> {
  launchTestCluster();
}
