import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fleetSummary } from '../../lib/fleet/fleet-summary.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, makeAgent, makeGenerator, makeStack, ok } from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

let clock: TestClock;
let host: TestHost;
let queries = 0;
beforeAll(async () => {
  clock = clockAt('2026-03-01T12:00:00.000Z');
  host = await startTestHost({
    clock,
    functions: { scheduleGroups: [] },
    onConsumed: (operation) => {
      if (operation === 'Query') queries += 1;
    },
  });
  const generator = await makeGenerator(host);
  const agent = await makeAgent(host, { generators: [generator] });
  await ok(agent.api.post(`/agents/${agent.id}/heartbeat`));
  await makeAgent(host, { status: 'INACTIVE' });
  await makeStack(host, generator, { yaml: configMap('one') });
});
afterAll(() => host.stop());

/** Asks many instances at once, as a scraper does. */
const ask = (instances: number) =>
  Promise.all(Array.from({ length: instances }, () => fleetSummary({ database: host.app.services.database, clock })));
/** A read of the fleet reads four partitions of agents and one of stacks. */
const WHOLE_FLEET = 5;

test('only one of many instances reads the fleet for the figures, and again half a minute later', async () => {
  queries = 0;
  const first = await ask(5);
  expect(queries).toBe(WHOLE_FLEET);
  const figures = { active_agents: 1, stacks: 1, deployment_objects: 1, heartbeats: [{ at: clock.nowMs() }] };
  expect(first.filter(Boolean)).toMatchObject(first.filter(Boolean).map(() => figures));
  expect(await ask(5)).toMatchObject(Array(5).fill(figures));
  clock.pass(29_999);
  await ask(5);
  expect(queries).toBe(WHOLE_FLEET);
  clock.pass(1);
  await ask(5);
  expect(queries).toBe(2 * WHOLE_FLEET);
});

test('the figures are at most half a minute old', async () => {
  await makeStack(host, await makeGenerator(host));
  expect(await ask(1)).toMatchObject([{ stacks: 1 }]);
  clock.pass(30_000);
  expect(await ask(1)).toMatchObject([{ stacks: 2 }]);
});
