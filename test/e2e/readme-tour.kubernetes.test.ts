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

  test("the README's tour on a real cluster applies the objects, instantiates the template and runs the Job to its end", async () => {
    const output = await tour.walk('kubernetes');
    expect(output).toContain("status: 'SUCCESS'");
    expect(output).toMatch(/applied 1 object; Job\/web\/migrate-\w+-a1 succeeded/);
    await kubernetes.kubectl(['wait', 'configmap/greeting', '-n', 'web', '--for=jsonpath={.data.text}=HELLO AGAIN', '--timeout=20s']);
  }, 60_000);
});
