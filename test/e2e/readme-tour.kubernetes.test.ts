import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { startTour, type Tour } from './readme-tour.ts';

describeKubernetes("the README's tour on a real API server", () => {
  let kubernetes: TestCluster;
  let tour: Tour;
  beforeAll(async () => {
    kubernetes = await testCluster();
    tour = await startTour(['--kubeconfig', kubernetes.kubeconfigPath]);
  }, 180_000);
  afterAll(() => tour?.stop());

  test("the README's tour on a real cluster ends with a SUCCESS event, and kubectl shows the objects", async () => {
    expect(await tour.walk('kubernetes')).toContain("status: 'SUCCESS'");
    expect(await kubernetes.kubectl(['get', 'configmap', 'greeting', '-n', 'web', '-o', 'jsonpath={.data.text}'])).toBe('hello');
  }, 60_000);
});
