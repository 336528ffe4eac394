import { describe, expect, test } from '@jest/globals';
import { configMap, configMaps, widget, widgetDefinition } from '../agent-world.ts';
import { createOrderWorld, job, yaml } from './order-world.ts';
import { createSilentAgent } from './silent-agent.ts';

const MINUTE_MS = 60_000;

describe('a custom order', () => {
  test('applies its objects, waits for its Jobs side by side, and reports each of them', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(configMap('settings'), job('migrate'), job('index')));
    agent.wake();
    await world.clock.advance(10_000);
    const suffix = `${id.slice(-8)}-a1`;
    expect(world.ordered(id)).toEqual(['ConfigMap/settings', `Job/migrate-${suffix}`, `Job/index-${suffix}`]);
    expect(world.plane.orders.results).toEqual([]);
    const [migrate, index] = world.jobs(id);
    if (!migrate || !index) throw new Error('no Jobs');
    world.endJob(index, 'Complete');
    world.endJob(migrate, 'Complete');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([
      {
        id,
        success: true,
        token: 't1',
        message: `applied 3 objects; Job/shop/migrate-${suffix} succeeded; Job/shop/index-${suffix} succeeded`,
        details: { attempt: 1, objects_applied: 3, jobs: [{ outcome: 'succeeded' }, { outcome: 'succeeded' }] },
      },
    ]);
  });

  test('with a definition and an object of the kind that it defines applies both', async () => {
    const world = createOrderWorld();
    const id = world.plane.orders.add(yaml(widgetDefinition, widget('w')));
    await world.start();
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([{ success: true, message: 'applied 2 objects' }]);
    expect(world.ordered(id)).toEqual(['CustomResourceDefinition/widgets.example.com', 'Widget/w']);
  });

  test('without Jobs ends with the number of its objects', async () => {
    const world = createOrderWorld();
    const id = world.plane.orders.add(yaml(...configMaps(2)));
    await world.start();
    expect(world.plane.orders.results).toMatchObject([{ id, success: true, message: 'applied 2 objects', details: { jobs: [] } }]);
  });

  test('whose Job fails is not retried, and its report has the end of the log of the pod that failed', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('migrate')));
    agent.wake();
    await world.clock.advance(10_000);
    const [live] = world.jobs(id);
    if (!live) throw new Error('no Job');
    await world.cluster.apply(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'migrate-pod', namespace: 'shop', labels: { 'batch.kubernetes.io/job-name': live.metadata.name } },
      },
      { fieldManager: 'controller', force: true },
    );
    world.cluster.setStatus({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'migrate-pod' }, { phase: 'Failed' });
    world.cluster.logs.set('shop/migrate-pod', `${'x'.repeat(20_000)}\nno such table: users\n`);
    world.endJob(live, 'Failed');
    await world.clock.advance(5_000);
    const [result] = world.plane.orders.results;
    expect(result).toMatchObject({ success: false, retryable: false, message: expect.stringContaining('failed: BackoffLimitExceeded') });
    const tail = result?.details?.jobs[0]?.log_tail ?? '';
    expect(tail.endsWith('no such table: users\n')).toBe(true);
    expect(Buffer.byteLength(tail)).toBe(16_384);
  });

  test('whose failed Job has no log says why', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('migrate')));
    agent.wake();
    await world.clock.advance(10_000);
    const [live] = world.jobs(id);
    if (live) world.endJob(live, 'Failed', 'DeadlineExceeded');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results[0]?.details?.jobs).toMatchObject([
      { outcome: 'timed_out', log_missing: 'the Job has no pod that failed' },
    ]);
  });

  test.each<[string, string, string]>([
    ['is no YAML', 'a: [', 'line 1'],
    ['has no object', '# nothing\n', 'the work order has no objects'],
    [
      'has a kind that the cluster does not serve',
      yaml({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } }),
      'no kind',
    ],
    ['has a generated name', yaml({ apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'x-' } }), 'generateName'],
    ['writes the agent’s own inventory', yaml(configMap('brokkr-inventory-x-1', {}, { namespace: 'default' })), 'reserved'],
    [
      'gives its object the mark of a stack',
      yaml(configMap('a', {}, { labels: { 'k8s.brokkr.io/stack': 'x' } })),
      'marks objects of stacks',
    ],
    ['has an object twice', yaml(configMap('a'), configMap('a')), 'twice'],
  ])('that %s fails for good, and says so', async (_what, text, words) => {
    const world = createOrderWorld();
    world.plane.orders.add(text);
    await world.start();
    expect(world.plane.orders.results).toMatchObject([{ success: false, retryable: false, message: expect.stringContaining(words) }]);
  });

  test('of an unknown type fails for good, whatever its name is', async () => {
    const world = createOrderWorld();
    for (const work_type of ['paint', 'constructor', '__proto__']) world.plane.orders.add(yaml(configMap('a')), { work_type });
    await world.start();
    expect(world.plane.orders.results.map(({ message }) => message)).toEqual([
      expect.stringContaining('"paint"'),
      expect.stringContaining('"constructor"'),
      expect.stringContaining('"__proto__"'),
    ]);
  });

  test('does not touch an object of a stack', async () => {
    const world = createOrderWorld();
    const stack = world.plane.newStack();
    world.plane.post(stack, yaml(configMap('shared')));
    const agent = await world.start();
    world.plane.orders.add(yaml(configMap('shared', { colour: 'blue' })));
    await world.cycle(agent);
    expect(world.plane.orders.results).toMatchObject([{ success: false, message: expect.stringContaining(`belongs to stack ${stack}`) }]);
    expect(await world.data('shared')).toEqual({ colour: 'red' });
  });

  test('does not take over the fields of others', async () => {
    const world = createOrderWorld();
    await world.cluster.apply(configMap('theirs', { colour: 'red' }), { fieldManager: 'kubectl', force: true });
    world.plane.orders.add(yaml(configMap('theirs', { colour: 'blue' })));
    await world.start();
    expect(world.plane.orders.results).toMatchObject([{ success: false, retryable: false }]);
    expect(await world.data('theirs')).toEqual({ colour: 'red' });
  });

  test('creates objects that no stack prunes or counts as its own', async () => {
    const world = createOrderWorld();
    const stack = world.plane.newStack();
    world.plane.post(stack, yaml(configMap('mine')));
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(configMap('extra')));
    await world.cycle(agent);
    world.plane.post(stack, '', { marker: true });
    await world.cycle(agent);
    expect(world.ordered(id)).toEqual(['ConfigMap/extra']);
    expect(await world.data('mine')).toBeUndefined();
  });
});

describe('clean-up', () => {
  const keeping = (name: string, cleanup?: string) =>
    configMap(name, {}, cleanup === undefined ? {} : { annotations: { 'brokkr.io/cleanup': cleanup } });

  test.each([
    { end: 'Complete', left: ['kept', 'unknown'] },
    { end: 'Failed', left: ['kept', 'on-success', 'unknown'] },
  ] as const)('after an order whose Job ends as $end deletes what the objects ask for', async ({ end, left }) => {
    const world = createOrderWorld();
    const agent = await world.start();
    const objects = [keeping('kept'), keeping('always', 'always'), keeping('on-success', 'on-success'), keeping('unknown', 'sometimes')];
    const id = world.plane.orders.add(yaml(...objects, job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    for (const live of world.jobs(id)) world.endJob(live, end);
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toHaveLength(1);
    const maps = world.ordered(id).filter((text) => text.startsWith('ConfigMap/'));
    expect(maps).toEqual(left.map((name) => `ConfigMap/${name}`));
  });
});

describe('a Job', () => {
  test('gets a time that ends before the order’s, a lifetime after its end, and labels that name the order', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('a'), job('b', { activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 7 })), {
      claim_timeout_seconds: 600,
    });
    agent.wake();
    await world.clock.advance(10_000);
    const [a, b] = world.jobs(id);
    expect(a?.spec).toMatchObject({ activeDeadlineSeconds: 540, ttlSecondsAfterFinished: 3_600 });
    // A Job that went at once would take with it how it ended.
    expect(b?.spec).toMatchObject({ activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 300 });
    expect(a?.metadata.labels).toMatchObject({
      'brokkr.io/work-order-id': id,
      'brokkr.io/work-order-attempt': '1',
      'brokkr.io/work-order-job': 'a',
    });
  });

  test('with a name of 63 characters gets a name that Kubernetes takes', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('n'.repeat(63))));
    agent.wake();
    await world.clock.advance(10_000);
    const name = world.jobs(id)[0]?.metadata.name ?? '';
    expect(name).toHaveLength(63);
    expect(name.endsWith(`-${id.slice(-8)}-a1`)).toBe(true);
  });

  test('whose long name begins like that of another one has a name of its own', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job(`${'n'.repeat(55)}-a`), job(`${'n'.repeat(55)}-b`)));
    agent.wake();
    await world.clock.advance(10_000);
    const names = world.jobs(id).map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(63);
  });

  test('that failed while its agent was dead is reported by the next one, and not run again', async () => {
    const world = createOrderWorld();
    const dying = createSilentAgent(world);
    await dying.agent.start();
    const id = world.plane.orders.add(yaml(job('work')));
    dying.agent.wake();
    await world.clock.advance(15_000);
    dying.kill();
    for (const live of world.jobs(id)) world.endJob(live, 'Failed');
    world.plane.orders.expire(id);
    await world.create().start();
    await world.clock.advance(15_000);
    expect(world.jobs(id)).toHaveLength(1);
    expect(world.plane.orders.results).toMatchObject([{ success: false, retryable: false, details: { attempt: 2 } }]);
  });

  test('that somebody deletes ends the order as failed', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    const name = world.jobs(id)[0]?.metadata.name ?? '';
    await world.cluster.delete({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name });
    await world.clock.advance(5_000);
    expect(world.plane.orders.results[0]?.details?.jobs).toMatchObject([{ outcome: 'stopped', reason: 'Deleted' }]);
  });
});

describe('a claim', () => {
  test('is renewed while a Job runs, however long that takes', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('long')));
    agent.wake();
    await world.clock.advance(30 * MINUTE_MS);
    expect(world.plane.calls.filter((call) => call === `renew ${id}`).length).toBeGreaterThan(60);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([{ success: true }]);
  });

  test('of a cancelled order ends at the next renewal: its Job is deleted, and nothing is reported', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(configMap('kept'), job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    world.plane.orders.live.delete(id);
    await world.clock.advance(25_000);
    expect(world.ordered(id)).toEqual(['ConfigMap/kept']);
    await world.clock.advance(MINUTE_MS);
    expect(world.plane.orders.results).toEqual([]);
  });

  test('that another one has taken ends at the next renewal, and its Job goes on', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    const held = world.plane.orders.live.get(id);
    if (held) held.token = 'of-another-agent';
    await world.clock.advance(25_000);
    expect(world.jobs(id)).toHaveLength(1);
    expect(world.plane.orders.results).toEqual([]);
  });

  test('whose lease passes without an answer ends: its Job goes on, and nothing is reported later', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    world.plane.dark = true;
    await world.clock.advance(90_000);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    world.plane.dark = false;
    await world.clock.advance(MINUTE_MS);
    expect(world.plane.orders.results).toEqual([]);
    expect(world.jobs(id)).toHaveLength(1);
  });

  test('is reported as soon as the control plane answers again, while its lease lasts', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('work')));
    agent.wake();
    await world.clock.advance(10_000);
    world.plane.dark = true;
    await world.clock.advance(30_000);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(5_000);
    world.plane.dark = false;
    await world.clock.advance(20_000);
    expect(world.plane.orders.results).toMatchObject([{ id, success: true }]);
  });

  test('of a server without leases holds for the order’s time', async () => {
    const world = createOrderWorld();
    world.plane.orders.leaseSeconds = undefined;
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(job('work')), { claim_timeout_seconds: 300 });
    agent.wake();
    await world.clock.advance(100_000);
    expect(world.plane.calls).not.toContain(`renew ${id}`);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(5_000);
    expect(world.plane.orders.results[0]).toMatchObject({ success: true });
    expect(world.plane.orders.results[0]).not.toHaveProperty('token');
  });
});

describe('an agent that is killed', () => {
  test('leaves a Job that the next attempt watches instead of starting another one', async () => {
    const world = createOrderWorld();
    const dying = createSilentAgent(world);
    await dying.agent.start();
    const id = world.plane.orders.add(yaml(job('work')));
    dying.agent.wake();
    await world.clock.advance(15_000);
    expect(world.jobs(id)).toHaveLength(1);
    dying.kill();
    world.plane.orders.expire(id);
    const next = world.create();
    await next.start();
    await world.clock.advance(15_000);
    expect(world.jobs(id)).toHaveLength(1);
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(10_000);
    expect(world.plane.orders.results).toMatchObject([{ id, success: true, token: 't2', details: { attempt: 2 } }]);
    expect(world.jobs(id)).toHaveLength(1);
  });

  test('leaves a Job that succeeded meanwhile: the next attempt reports it and runs nothing', async () => {
    const world = createOrderWorld();
    const dying = createSilentAgent(world);
    await dying.agent.start();
    const id = world.plane.orders.add(yaml(job('work')));
    dying.agent.wake();
    await world.clock.advance(15_000);
    dying.kill();
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    world.plane.orders.expire(id);
    await world.create().start();
    await world.clock.advance(15_000);
    expect(world.jobs(id).map(({ metadata }) => metadata.name)).toEqual([`work-${id.slice(-8)}-a1`]);
    expect(world.plane.orders.results).toMatchObject([{ success: true, details: { attempt: 2 } }]);
  });
});

describe('finding orders', () => {
  test('an agent that was told nothing new does not ask, except after ten minutes', async () => {
    const world = createOrderWorld();
    await world.start();
    const asked = () => world.plane.calls.filter((call) => call === 'pending-orders').length;
    expect(asked()).toBe(1);
    await world.clock.advance(5 * MINUTE_MS);
    expect(asked()).toBe(1);
    await world.clock.advance(8 * MINUTE_MS);
    expect(asked()).toBe(2);
  });

  test('an agent asks at each poll if the server says nothing of orders', async () => {
    const world = createOrderWorld();
    world.plane.orders.tells = false;
    await world.start();
    await world.clock.advance(MINUTE_MS);
    const polls = world.plane.calls.filter((call) => call === 'assignments').length;
    expect(world.plane.calls.filter((call) => call === 'pending-orders')).toHaveLength(polls);
  });

  test('an agent works on as many orders at once as it may, takes the next ones as places get free, and goes on polling', async () => {
    const world = createOrderWorld();
    const agent = await world.start({ workOrderParallelism: 2 });
    const ids = Array.from({ length: 5 }, (_, n) => world.plane.orders.add(yaml(job(`work-${n}`))));
    agent.wake();
    const polls = () => world.plane.calls.filter((call) => call === 'assignments').length;
    const before = polls();
    await world.clock.advance(MINUTE_MS);
    expect(polls() - before).toBeGreaterThanOrEqual(6);
    const running = () => ids.filter((id) => world.jobs(id).some(({ status }) => status === undefined));
    expect(running()).toEqual(ids.slice(0, 2));
    for (const id of running()) for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    await world.clock.advance(10_000);
    expect(running()).toEqual(ids.slice(2, 4));
  });

  test('an agent that is not ACTIVE, and one that may work on none, claim nothing', async () => {
    for (const setting of [{ workOrderParallelism: 0 }, {}]) {
      const world = createOrderWorld();
      if (!('workOrderParallelism' in setting)) world.plane.status = 'INACTIVE';
      world.plane.orders.add(yaml(configMap('a')));
      await world.start(setting);
      await world.clock.advance(MINUTE_MS);
      expect(world.plane.calls.filter((call) => call.startsWith('claim'))).toEqual([]);
    }
  });

  test('an agent that loses races tries three orders, and leaves the rest to the next poll', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    const ids = Array.from({ length: 6 }, () => world.plane.orders.add(yaml(configMap('a'))));
    for (const id of ids) world.plane.orders.takenByOthers.add(id);
    agent.wake();
    await world.clock.advance(1_000);
    expect(world.plane.calls.filter((call) => call.startsWith('claim'))).toHaveLength(3);
    world.plane.orders.takenByOthers.clear();
    await world.clock.advance(30_000);
    expect(world.plane.orders.results).toHaveLength(6);
  });
});
