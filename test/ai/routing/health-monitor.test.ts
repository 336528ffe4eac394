import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createHealthMonitor, type HealthMonitor } from '../../../lib/ai/routing/health/health-monitor.ts';
import type { HealthSample } from '../../../lib/ai/routing/health/health-sample.ts';
import type { Candidate, RoutingPlan } from '../../../lib/ai/routing/plan-types.ts';
import { auditPks, telemetryTable } from '../../../lib/identity/telemetry-table.ts';
import type { Database } from '../../../lib/platform/database/database.ts';
import { plan, priced, provider } from './planning-world.ts';
import { openRoutingWorld, type RoutingWorld } from './routing-world.ts';

let world: RoutingWorld;
let organization: string;
let monitors: HealthMonitor[];
beforeAll(async () => {
  world = await openRoutingWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  organization = world.newOrganization().organization_id;
  monitors = [];
});
afterEach(async () => {
  await Promise.all(monitors.map((monitor) => monitor.close()));
});

/** One instance of the gateway. */
function instance(database: Database = world.database): HealthMonitor {
  const monitor = createHealthMonitor({ ...world.ports, database, log: world.log });
  monitors.push(monitor);
  return monitor;
}
const sample = (result: HealthSample['result'], more: Partial<HealthSample> = {}): HealthSample => ({
  organization_id: organization,
  provider_id: 'p',
  result,
  latency_ms: 10,
  begun_ms: world.clock.nowMs() - 10,
  at_ms: world.clock.nowMs(),
  ...more,
});
const observe = (monitor: HealthMonitor, times: number, result: HealthSample['result']) => {
  for (let call = 0; call < times; call++) monitor.observe(sample(result));
};
/** The view after the instance has read what the store has. */
async function seen(monitor: HealthMonitor) {
  world.clock.pass(1_500);
  monitor.healthOf(organization);
  await settled();
  return monitor.healthOf(organization).get('p');
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 150));
const firstIs = (id: string): RoutingPlan => plan('m', { providers: [provider(id, { models: [priced('m', 1)] })] });

test('an instance acts on what it saw itself without waiting for the store', () => {
  const one = instance();
  observe(one, 5, 'failure');
  expect(one.healthOf(organization).get('p')?.circuit.state).toBe('open');
});

test('a circuit that opens at one instance is open at the others within two seconds', async () => {
  const [one, other] = [instance(), instance()];
  expect(await seen(other)).toBeUndefined();
  observe(one, 5, 'failure');
  await one.flush();
  expect((await seen(other))?.circuit).toMatchObject({ state: 'open', consecutive_failures: 5 });
});

test('failures in a row count together, wherever they were seen', async () => {
  const [one, other] = [instance(), instance()];
  observe(one, 3, 'failure');
  await one.flush();
  observe(other, 2, 'failure');
  await other.flush();
  expect((await seen(one))?.circuit.state).toBe('open');
});

test('no sample is lost or counted twice when many instances store at once', async () => {
  const many = Array.from({ length: 6 }, () => instance());
  for (const monitor of many) observe(monitor, 10, 'success');
  // Whoever meets the others too often keeps its samples for the next time.
  for (let round = 0; round < 6; round++) await Promise.all(many.map((monitor) => monitor.flush()));
  expect(await seen(instance())).toMatchObject({ samples: 60, success_rate: 1 });
});

test('samples outlive a store that refuses writes', async () => {
  let refuses = true;
  const moody: Database = {
    ...world.database,
    write: (write) => (refuses ? Promise.reject(new Error('throttled')) : world.database.write(write)),
  };
  const one = instance(moody);
  observe(one, 4, 'success');
  await one.flush();
  observe(one, 3, 'success');
  await one.flush();
  refuses = false;
  await one.flush();
  expect(await seen(instance())).toMatchObject({ samples: 7 });
});

test('after its time, one call of one instance tries; its success closes the circuit everywhere', async () => {
  const instances = [instance(), instance(), instance()];
  const [one] = instances;
  if (!one) throw new Error('no instance');
  observe(one, 5, 'failure');
  await one.flush();
  for (const monitor of instances) await seen(monitor);
  world.clock.pass(30_000);
  // Each asks the store for the right to try.
  for (const monitor of instances) await seen(monitor);
  const trying = instances.filter((monitor) => monitor.healthOf(organization).get('p')?.circuit.state === 'half_open');
  expect(trying).toHaveLength(1);
  const [probing] = trying;
  probing?.planned(organization, firstIs('p'));
  expect(probing?.healthOf(organization).get('p')?.circuit.state).toBe('open');
  probing?.observe(sample('success'));
  await probing?.flush();
  for (const monitor of instances) expect((await seen(monitor))?.circuit.state).toBe('closed');
});

test('a plan that asks another provider first leaves the right to try where it is', async () => {
  const one = instance();
  observe(one, 5, 'failure');
  await one.flush();
  world.clock.pass(30_000);
  await seen(one);
  one.planned(organization, firstIs('other'));
  expect((await seen(one))?.circuit.state).toBe('half_open');
});

test.each([
  ['exhausted_account', 'provider.account_exhausted'],
  ['credentials', 'provider.key_refused'],
] as const)('%s takes the provider out everywhere and is told once, however many instances see it', async (result, action) => {
  const instances = [instance(), instance(), instance()];
  for (const monitor of instances) observe(monitor, 3, result);
  for (let round = 0; round < 3; round++) await Promise.all(instances.map((monitor) => monitor.flush()));
  expect(await seen(instance())).toMatchObject({ status: 'inactive', circuit: { state: 'open' } });
  const pages = await Promise.all(auditPks.map((pk) => world.database.query(telemetryTable.name, { pk })));
  const told = pages.flatMap(({ items }) => items).filter((item) => JSON.stringify(item).includes(organization));
  expect(told.map((item) => item.action)).toEqual([action]);
});

test('what a caller caused leaves no trace', async () => {
  const one = instance();
  observe(one, 50, 'ignored');
  await one.flush();
  expect(await seen(one)).toBeUndefined();
});

const candidates: readonly Candidate[] = firstIs('p').candidates;
test('an organization without any sample is planned as if all were well', () => {
  expect(instance().healthOf(organization).size).toBe(0);
  expect(candidates[0]?.features.health).toBe(1);
});
