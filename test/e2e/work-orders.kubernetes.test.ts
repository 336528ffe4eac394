import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Cluster } from '../../agent/cluster/cluster.ts';
import { createKubernetesCluster } from '../../agent/cluster/kubernetes/kubernetes-cluster.ts';
import type { WorkOrderLog } from '../../lib/fleet/protocol/work-order-protocol.ts';
import { yaml } from '../agent/agent-world.ts';
import { installAgentIdentity } from '../agent/chart-identity.ts';
import { customResourceDefinition } from '../agent/cluster-contract-objects.ts';
import { turningClock } from '../identity/turning-clock.ts';
import type { TestCluster } from '../kubernetes/start-cluster.ts';
import { createTestNamespace, describeKubernetes, testCluster } from '../kubernetes/test-cluster.ts';
import { type Enlisted, eventually, type FleetWorld, startFleetWorld } from './fleet-world.ts';

const GROUP = 'orders.example.com';
const verbs = ['get', 'list', 'create', 'patch', 'delete'];
const rbac = { customResourceDefinitions: true, additionalRules: [{ apiGroups: [GROUP], resources: ['*'], verbs }] };

/**
 * Work orders from the API to Jobs on a real API server with its controllers. The nodes are simulated: pods of Jobs end by themselves, with a
 * label as failed, and have no logs.
 */
describeKubernetes('work orders on a real API server', () => {
  const clock = turningClock();
  let kubernetes: TestCluster;
  let world: FleetWorld;
  let cluster: Cluster;
  let home: string;
  let namespace: string;
  let agent: Enlisted;
  let running: { stop(): Promise<void> };

  const run = () => agent.run(cluster, { inventoryNamespace: home, workOrderLeaseSeconds: 10 });
  beforeAll(async () => {
    [kubernetes, world] = await Promise.all([testCluster(), startFleetWorld({ clock })]);
    home = await createTestNamespace(kubernetes, 'agent');
    namespace = await createTestNamespace(kubernetes, 'orders');
    cluster = await createKubernetesCluster({
      kubeconfigPath: await installAgentIdentity(kubernetes, { namespace: home, values: { rbac } }),
    });
    agent = await world.enlist('worker');
    running = await run();
  }, 180_000);
  afterAll(async () => {
    await world?.stop();
    await cluster?.close();
  });

  const job = (name: string, pod: object = {}, labels: object = {}): string =>
    JSON.stringify({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace },
      spec: {
        backoffLimit: 0,
        template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'main:1' }], ...pod } },
      },
    });
  const order = async (yaml_content: string): Promise<string> => {
    const answer = await world.host.admin.post('/work-orders', { work_type: 'custom', yaml_content, targeting: { agent_ids: [agent.id] } });
    expect(answer.status).toBe(201);
    return answer.body.id;
  };
  const logged = (id: string): Promise<WorkOrderLog> =>
    eventually(`the log entry of ${id}`, async () => {
      const { status, body } = await world.host.admin.get(`/work-order-log/${id}`);
      return status === 200 ? body : undefined;
    });
  const jobsOf = async (id: string): Promise<{ metadata: { name: string }; status: { active?: number } }[]> =>
    JSON.parse(await kubernetes.kubectl(['-n', namespace, 'get', 'jobs', '-l', `brokkr.io/work-order-id=${id}`, '-o', 'json'])).items;
  const runningJob = (id: string) =>
    eventually(`a Job of ${id}`, async () => (await jobsOf(id)).find(({ status }) => status.active === 1)?.metadata.name);
  /** No node has this label yet, so that the Job waits for it. */
  const waitsFor = (label: string) => ({ nodeSelector: { [label]: 'yes' } });

  test('an order whose Job succeeds is completed, and its Job has the order’s name and limits', async () => {
    const id = await order(job('migrate'));
    const name = `migrate-${id.slice(-8)}-a1`;
    expect(await logged(id)).toMatchObject({
      success: true,
      claimed_by: agent.id,
      result_message: `applied 1 object; Job/${namespace}/${name} succeeded`,
      result_details: { attempt: 1, jobs: [{ kind: 'Job', namespace, name, outcome: 'succeeded' }] },
    });
    expect(await jobsOf(id)).toMatchObject([
      { metadata: { name }, spec: { activeDeadlineSeconds: 3_240, ttlSecondsAfterFinished: 3_600 } },
    ]);
  });

  test('an order whose Job fails says why, and why there is no log', async () => {
    const id = await order(job('broken', {}, { 'pod-container-running-failed.stage.kwok.x-k8s.io': 'true' }));
    const { success, result_message, result_details } = await logged(id);
    expect({ success, result_message }).toEqual({ success: false, result_message: expect.stringContaining('BackoffLimitExceeded') });
    expect(result_details?.jobs).toMatchObject([{ outcome: 'failed', log_missing: expect.stringContaining('the log could not be read') }]);
  });

  test('an order that is cancelled while its Job runs leaves no Job behind, and no log entry', async () => {
    const id = await order(job('cancelled', waitsFor('never')));
    await runningJob(id);
    expect(await world.host.admin.delete(`/work-orders/${id}`)).toMatchObject({ status: 204 });
    await eventually('the Job to go', async () => ((await jobsOf(id)).length === 0 ? true : undefined));
    expect((await world.host.admin.get(`/work-order-log/${id}`)).status).toBe(404);
  });

  test('an order with a definition and an object of its kind applies both, and its clean-up leaves what was there before', async () => {
    const cleaned = { annotations: { 'brokkr.io/cleanup': 'always' } };
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace, ...cleaned }, data: { a: '1' } };
    await kubernetes.kubectl(['-n', namespace, 'create', 'configmap', 'theirs', '--from-literal=a=1']);
    const ticket = { apiVersion: `${GROUP}/v1`, kind: 'Ticket', metadata: { name: 'one', namespace, ...cleaned }, spec: {} };
    const id = await order(yaml(theirs, customResourceDefinition(GROUP, 'Ticket'), ticket));
    expect(await logged(id)).toMatchObject({ success: true, result_message: 'applied 3 objects' });
    expect(await kubernetes.kubectl(['-n', namespace, 'get', `configmaps,tickets.${GROUP}`, '-o', 'name'])).toBe(
      'configmap/kube-root-ca.crt\nconfigmap/theirs\n',
    );
  });

  test('an order whose agent dies is taken up when the lease ends, and its Job runs once', async () => {
    const label = `brokkr-test/${namespace}`;
    const id = await order(job('survivor', waitsFor(label)));
    const name = await runningJob(id);
    await running.stop();
    clock.turn(11_000);
    running = await run();
    await eventually('the second claim', async () => {
      const { logs } = (await world.host.admin.get(`/admin/audit-logs?resource_id=${id}&action=workorder.claimed`)).body;
      return logs.length === 2 ? true : undefined;
    });
    await kubernetes.kubectl(['label', 'nodes', '--all', `${label}=yes`]);
    expect(await logged(id)).toMatchObject({ success: true, result_details: { attempt: 2, jobs: [{ name, outcome: 'succeeded' }] } });
    expect((await jobsOf(id)).map(({ metadata }) => metadata.name)).toEqual([name]);
  });
});
