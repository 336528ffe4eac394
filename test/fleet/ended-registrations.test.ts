import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, ok, submit, target } from './fleet-builder.ts';
import { seedStacks } from './seeded-stacks.ts';

/** More targets than a request clears away itself: the others wait for the queue. */
const TARGETS = 101;
let host: TestHost;
let queues: DrivenQueues;
let generator: MadeGenerator;
let agent: MadeAgent;
let stackIds: string[];
beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] } });
  queues = driveQueues(host.app.services);
});
afterAll(() => host.stop());
beforeEach(async () => {
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  stackIds = await seedStacks(host.app.services.database, generator.id, 'unused', TARGETS);
  for (const id of stackIds) await target(host, agent, { id });
});

const deregister = () => ok(agent.api.delete(`/generators/${generator.id}/register`, {}));
const assigned = async () => [...(await agent.assignments()).values()].filter(({ state }) => state === 'assigned');

test('an agent that ended its registration runs none of its targets, although they are not cleared away yet', async () => {
  expect(await assigned()).toHaveLength(TARGETS);
  await deregister();
  expect(await ok(host.admin.get(`/agents/${agent.id}/targets`))).toHaveLength(TARGETS);
  const late = await submit(host, stackIds[0] ?? '', configMap('late'));
  expect(await assigned()).toEqual([]);
  expect(await agent.api.get(`/deployment-objects/${late.id}`)).toMatchObject({ status: 403 });
  expect(await ok(agent.api.get(`/agents/${agent.id}/target-state`))).toEqual([]);
});

test('a new registration does not bring back the targets of an ended one', async () => {
  await deregister();
  await ok(agent.api.post(`/generators/${generator.id}/register`, {}));
  expect(await assigned()).toEqual([]);
  await queues.drain();
  expect(await ok(host.admin.get(`/agents/${agent.id}/targets`))).toEqual([]);
  await target(host, agent, { id: stackIds[0] ?? '' });
  expect(await assigned()).toHaveLength(1);
});
