import { describe, expect, test } from '@jest/globals';
import { configMap } from '../agent-world.ts';
import { createOrderWorld, job, type OrderWorld, yaml } from './order-world.ts';

const never = () => new Promise<never>(() => {});

/** An order whose Job runs, ten seconds after its claim at most. */
async function runningOrder(world: OrderWorld, more = {}): Promise<string> {
  const agent = await world.start();
  const id = world.plane.orders.add(yaml(job('work')), more);
  agent.wake();
  await world.clock.advance(2_000);
  expect(world.jobs(id)).toHaveLength(1);
  return id;
}

describe('a lease', () => {
  test('ends at its time though a renewal is still without an answer', async () => {
    const world = createOrderWorld();
    const id = await runningOrder(world);
    world.plane.intercept = (call) => (call.startsWith('renew') ? never() : undefined);
    await world.clock.advance(60_000);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(60_000);
    expect(world.plane.orders.results).toEqual([]);
  });

  test('of a server without leases may be longer than a timer can run', async () => {
    const world = createOrderWorld();
    world.plane.orders.leaseSeconds = undefined;
    const sleeps: number[] = [];
    const { sleep } = world.clock;
    world.clock.sleep = (ms, signal) => {
      sleeps.push(ms);
      return sleep(ms, signal);
    };
    const id = await runningOrder(world, { claim_timeout_seconds: 100_000_000 });
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([{ id, success: true }]);
    expect(Math.max(...sleeps)).toBeLessThan(2 ** 31);
  });
});

describe('a claim', () => {
  test('that fails does not hold up the orders behind it', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const broken = world.plane.orders.add(yaml(configMap('a')));
    const good = world.plane.orders.add(yaml(configMap('b')));
    world.plane.intercept = (call) => {
      if (call === `claim ${broken}`) throw new Error('500');
    };
    agent.wake();
    await world.clock.advance(1_000);
    expect(world.plane.orders.results).toMatchObject([{ id: good, success: true }]);
  });

  test('of an order whose last attempt here is not over yet is made when that is over', async () => {
    const world = createOrderWorld();
    const id = await runningOrder(world);
    // The attempt hangs in a call that nothing ends, while its lease passes.
    let answer = () => {};
    world.cluster.intercept = ({ verb, kind }) =>
      verb === 'find' && kind === 'Job'
        ? new Promise<void>((resolve) => {
            answer = resolve;
          })
        : undefined;
    await world.clock.advance(5_000);
    world.plane.orders.expire(id);
    await world.clock.advance(60_000);
    world.cluster.intercept = undefined;
    answer();
    await world.clock.advance(15_000);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([{ id, success: true, details: { attempt: 2 } }]);
  });
});

describe('a result', () => {
  test('of an order with many Jobs names those that failed, as many as a result may name', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(...Array.from({ length: 25 }, (_, n) => job(`work-${n}`))));
    agent.wake();
    await world.clock.advance(10_000);
    for (const [n, live] of world.jobs(id).entries()) world.endJob(live, n === 24 ? 'Failed' : 'Complete');
    await world.clock.advance(10_000);
    const [result] = world.plane.orders.results;
    expect(result?.details?.jobs).toHaveLength(20);
    expect(result?.details?.jobs[0]).toMatchObject({ outcome: 'failed' });
    expect(result).toMatchObject({ success: false, message: expect.stringContaining('work-24') });
  });

  test('counts a Job that ended, though it was gone before the many others had ended', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(...Array.from({ length: 25 }, (_, n) => job(`work-${n}`))));
    agent.wake();
    await world.clock.advance(10_000);
    const [last, ...others] = world.jobs(id).toReversed();
    if (!last) throw new Error('no Jobs');
    world.endJob(last, 'Complete');
    await world.clock.advance(10_000);
    await world.cluster.delete({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: last.metadata.name });
    for (const live of others) world.endJob(live, 'Complete');
    await world.clock.advance(10_000);
    expect(world.plane.orders.results).toMatchObject([{ success: true }]);
  });

  test('that the server refuses is sent once more without its details', async () => {
    const world = createOrderWorld();
    world.plane.orders.refuses = ({ details }) => details != null;
    const id = world.plane.orders.add(yaml(configMap('a')));
    await world.start();
    expect(world.plane.orders.results).toMatchObject([{ id, success: true, message: 'applied 1 object' }]);
  });

  test('that the server refuses in any form is given up, and the place is free for other orders', async () => {
    const world = createOrderWorld();
    world.plane.orders.refuses = () => true;
    const agent = await world.start({ workOrderParallelism: 1 });
    const refused = world.plane.orders.add(yaml(configMap('a')));
    await world.cycle(agent);
    world.plane.orders.refuses = undefined;
    const next = world.plane.orders.add(yaml(configMap('b')));
    await world.cycle(agent);
    expect(world.plane.calls.filter((call) => call === `complete ${refused}`)).toHaveLength(2);
    expect(world.plane.orders.results).toMatchObject([{ id: next }]);
  });
});
