import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Agent, createClusterAgent } from '../../agent/agent.ts';
import { createMemoryCluster, type MemoryCluster } from '../../agent/cluster/memory/memory-cluster.ts';
import type { ControlPlane } from '../../agent/control-plane/control-plane.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import type { QueryOptions } from '../../lib/platform/database/database.ts';
import { TEST_CONFIG } from '../agent/agent-world.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, submit } from './fleet-builder.ts';

/** The real agent with a cluster in memory, against the host. Its interval never ends, so that the tests start each poll. */
let host: TestHost;
let generator: MadeGenerator;
let stack: Awaited<ReturnType<typeof makeStack>>;
let agentId: string;
let cluster: MemoryCluster;
let controlPlane: ControlPlane;
let agent: Agent;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  generator = await makeGenerator(host);
  stack = await makeStack(host, generator, { labels: ['old'], yaml: configMap('precious') });
  const made = await makeAgent(host, { generators: [generator], labels: ['old', 'new'] });
  agentId = made.id;
  const { name: agentName, cluster_name: clusterName } = await ok(host.admin.get(`/agents/${made.id}`));
  const config = { ...TEST_CONFIG, brokerUrl: host.url, agentName, clusterName, pollingIntervalMs: 3_600_000 };
  cluster = createMemoryCluster({ namespaces: ['default'] });
  controlPlane = createHttpControlPlane({ baseUrl: host.url, pak: made.pak });
  agent = createClusterAgent({ config, cluster, controlPlane, files: createMemoryFiles() });
  await agent.start();
  await agent.settled();
});
afterAll(async () => {
  await agent.stop();
  await controlPlane.close();
  await host.stop();
});

const precious = () => cluster.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'precious' });
const poll = async () => {
  agent.wake();
  await agent.settled();
};

test('an agent keeps its objects while the label of their stack is exchanged under its poll', async () => {
  const before = await precious();
  expect(before).toBeDefined();
  const { database } = host.app.services;
  const { query } = database;
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  database.query = async (table: string, options: QueryOptions) => {
    if (options.pk === `MATCH#${generator.id}#LABEL#old`) {
      database.query = query;
      reached.resolve();
      await gate.promise;
    }
    return query(table, options);
  };
  // A change of the agent itself makes its next poll compare all stacks.
  await ok(host.admin.post(`/agents/${agentId}/labels`, { agent_id: agentId, label: 'another' }));
  const polling = poll();
  await reached.promise;
  await ok(generator.api.post(`/stacks/${stack.id}/labels`, 'new'));
  await ok(generator.api.delete(`/stacks/${stack.id}/labels/old`));
  gate.resolve();
  await polling;
  await poll();
  expect((await precious())?.metadata.uid).toBe(before?.metadata.uid);
});

test('an agent applies the one stack that changed, and removes the one that it lost', async () => {
  await submit(host, stack.id, `${configMap('precious')}data:\n  size: large\n`);
  await poll();
  expect((await precious())?.data).toEqual({ size: 'large' });
  await ok(generator.api.delete(`/stacks/${stack.id}/labels/new`));
  await poll();
  expect(await precious()).toBeUndefined();
  await poll();
  expect((await ok(host.admin.get(`/agents/${agentId}/assignments`))).assignments).toEqual([]);
});
