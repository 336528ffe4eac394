/** How the process that launched the cluster of a test run tells every test file where it is: a TestClusterNote as JSON. */
export const TEST_CLUSTER_VARIABLE = 'BROKKR_TEST_KUBERNETES';

export interface TestClusterNote {
  directory: string;
}
