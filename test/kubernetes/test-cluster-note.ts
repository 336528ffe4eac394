/** The environment variable by which every test file finds the cluster of the test run: a TestClusterNote as JSON. */
export const TEST_CLUSTER_VARIABLE = 'BROKKR_TEST_KUBERNETES';

export interface TestClusterNote {
  directory: string;
}
