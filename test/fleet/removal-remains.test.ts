import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Item } from '../../lib/platform/database/database.ts';
import { isExpired } from '../../lib/platform/database/table.ts';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { scanTable } from '../harness/scan-table.ts';
import { configMap, makeTenant, ok, report, submit, type Tenant, target } from './fleet-builder.ts';

const YEAR_MS = 366 * 86_400_000;
let host: TestHost;
let queues: DrivenQueues;
let tenant: Tenant;
let passedMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };
beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] }, clock });
  queues = driveQueues(host.app.services);
});
afterAll(() => host.stop());
beforeEach(async () => {
  tenant = await makeTenant(host);
  await queues.drain();
});

/** Returns the keys of the fleet's items that name one of these: now, and after expired items are gone. */
async function remains(ids: readonly string[]) {
  // An agent's record remembers its latest moves, a fixed number of them: these name stacks.
  const text = (item: Item) => JSON.stringify(Object.entries(item).filter(([name]) => !name.startsWith('move_')));
  const all = (await scanTable(host, 'fleet')).filter((item) => ids.some((id) => text(item).includes(id)));
  const keys = (items: typeof all) => items.map(({ pk, sk }) => `${pk} ${sk}`).sort();
  return { now: keys(all), forEver: keys(all.filter((item) => !isExpired(item, clock.nowMs() + YEAR_MS))) };
}
/** Runs both passes. The second one is due when no request can be under way any more. */
async function clearAway() {
  await queues.drain();
  passedMs += 60_000;
  await queues.sweep();
  await queues.drain();
}

describe('the remains of a removal', () => {
  test('nothing is left of a deleted stack with fifty deployment objects after its agent has confirmed the removal', async () => {
    const { agent, stack } = tenant;
    const objects = [tenant.object];
    for (let n = 1; n < 50; n++) {
      objects.push(await submit(host, stack.id, configMap(`v${n}`)));
      if (n % 10 === 0) await ok(report(agent, objects.at(-1)?.id ?? ''));
    }
    await agent.assignments();
    await ok(host.admin.delete(`/stacks/${stack.id}`));
    await clearAway();
    expect((await agent.assignments()).get(stack.id)?.state).toBe('withdrawn');
    await ok(report(agent, objects.at(-1)?.id ?? '', { event_type: 'REMOVE' }));
    await clearAway();
    const { now, forEver } = await remains([stack.id]);
    // Fifty heads and the agent's last result, which agents may still report on: these expire.
    expect(now).toHaveLength(51);
    expect(forEver).toEqual([]);
  });

  test('nothing is left of a deleted agent', async () => {
    const { agent } = tenant;
    await ok(host.admin.delete(`/agents/${agent.id}`));
    await clearAway();
    expect((await remains([agent.id])).now).toEqual([]);
  });

  test('nothing is left of a deleted tenant and its stacks but told items that agents have to confirm', async () => {
    const { agent, stack, generator } = tenant;
    await ok(host.admin.delete(`/generators/${generator.id}`));
    await clearAway();
    expect((await remains([generator.id, stack.id])).forEver).toEqual([`AGENT#${agent.id} TOLD#${stack.id}`]);
    expect((await agent.assignments()).get(stack.id)?.state).toBe('withdrawn');
    await ok(report(agent, tenant.object.id, { event_type: 'REMOVE' }));
    expect((await remains([generator.id, stack.id])).forEver).toEqual([]);
  });

  test('nothing is left if the process ends at any step of clearing away', async () => {
    const { agent, generator, stack } = tenant;
    await target(host, agent, await ok(generator.api.post('/stacks', { name: 'second', generator_id: generator.id })));
    const { database } = host.app.services;
    const { write, transact } = database;
    let calls = 0;
    // Each seventh write fails for a while: every message is delivered more than once.
    const failing =
      <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
      (...args: A) =>
        ++calls % 7 === 0 && calls < 150 ? Promise.reject(new Error('killed')) : act(...args);
    await ok(host.admin.delete(`/generators/${generator.id}`));
    await ok(host.admin.delete(`/agents/${agent.id}`));
    Object.assign(database, { write: failing(write), transact: failing(transact) });
    for (let round = 0; round < 6; round++) await clearAway();
    Object.assign(database, { write, transact });
    await clearAway();
    expect(calls).toBeGreaterThan(20);
    expect((await remains([generator.id, agent.id, stack.id])).forEver).toEqual([]);
  });
});

test('the second pass finds items of a request that was under way at the removal', async () => {
  const { agent } = tenant;
  await ok(host.admin.delete(`/agents/${agent.id}`));
  await queues.drain();
  await host.app.services.database.write({ table: 'fleet', put: { pk: `AGENT#${agent.id}`, sk: 'TOLD#late', type: 'told' } });
  passedMs += 60_000;
  await queues.sweep();
  await queues.drain();
  expect((await remains([agent.id])).now).toEqual([]);
});

test('deleting an agent costs the request the same, whatever the agent has reported', async () => {
  const { database } = host.app.services;
  const { write, transact, query } = database;
  const callsOf = async (id: string) => {
    let calls = 0;
    const counted =
      <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
      (...args: A) => {
        calls += 1;
        return act(...args);
      };
    Object.assign(database, { write: counted(write), transact: counted(transact), query: counted(query) });
    await ok(host.admin.delete(`/agents/${id}`));
    Object.assign(database, { write, transact, query });
    return calls;
  };
  const busy = await makeTenant(host);
  for (let from = 0; from < 1_500; from += 100) {
    const items = Array.from({ length: 100 }, (_, n) => ({ pk: `AGENT#${busy.agent.id}`, sk: `TOLD#${from + n}`, type: 'told' }));
    await database.transact(items.map((put) => ({ table: 'fleet', put })));
  }
  expect(await callsOf(busy.agent.id)).toBe(await callsOf(tenant.agent.id));
  await clearAway();
  expect((await remains([busy.agent.id])).now).toEqual([]);
});
