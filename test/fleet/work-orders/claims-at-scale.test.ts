import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { makeAgent, unique } from '../fleet-builder.ts';
import { seededRandom } from '../polling-agent.ts';
import { type FleetOptions, runFleet } from './scale/simulated-fleet.ts';

/**
 * Agents that work by the rules of the real one, three servers, the real engine and the real dispatcher, in virtual time. Killed agents, messages
 * that come twice, late and in another order, and a store whose answers get lost. `npm run bench -- claims` runs 100 agents and 10,000 orders.
 */
const AGENTS = 30;
/** Shown with a failure. The calls to the store run side by side, so that a seed repeats the plan of the faults, not each race. */
const SEED = Number(process.env.BROKKR_TEST_SEED ?? Date.now() % 1_000_000);

let host: TestHost;
let label: string;
let agentIds: string[];
beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] } });
  label = unique('scale');
  agentIds = [];
  for (let n = 0; n < AGENTS; n++) agentIds.push((await makeAgent(host, { labels: [label] })).id);
}, 60_000);
afterAll(() => host.stop());

const run = (more: Pick<FleetOptions, 'orders' | 'serverClocksOffMs'>) =>
  runFleet({ services: host.app.services, agentIds, label, random: seededRandom(SEED), faults: true, ...more });

/** Agents know no time of day, so their clocks may be off by any amount. Those of servers are kept within a second of each other, as NTP does. */
test(`no order is lost, held twice or logged twice, and few claims are lost races, whatever fails (seed ${SEED})`, async () => {
  const { made, logged, left, heldTwice, attempts, wins } = await run({ orders: 400, serverClocksOffMs: 450 });
  expect(left).toBe(0);
  expect(logged.sort()).toEqual(made.sort());
  expect(heldTwice).toEqual([]);
  // At the end all agents look for the last orders. The more orders there are, the less that weighs: 1.1 at most for 10,000.
  expect(attempts / wins).toBeLessThanOrEqual(1.25);
}, 240_000);

/** A server whose clock is minutes ahead gives leases away too early. The holder learns so when it renews or reports, and its report is void. */
test(`even with servers whose clocks are off by minutes each order ends, and is logged once (seed ${SEED})`, async () => {
  const { made, logged, left } = await run({ orders: 100, serverClocksOffMs: 180_000 });
  expect(left).toBe(0);
  expect(logged.sort()).toEqual(made.sort());
}, 240_000);
