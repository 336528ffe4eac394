import { describe, expect, test } from '@jest/globals';
import { ClusterError } from '../../../agent/cluster/cluster.ts';
import { configMap } from '../agent-world.ts';
import { createOrderWorld, job, yaml } from './order-world.ts';
import { createSilentAgent } from './silent-agent.ts';

const cleaned = (name: string) => configMap(name, { colour: 'red' }, { annotations: { 'brokkr.io/cleanup': 'always' } });

describe('clean-up leaves', () => {
  test('what was there before the order, also after a second attempt', async () => {
    const world = createOrderWorld();
    const theirs = configMap('theirs', { colour: 'red' });
    await world.cluster.apply(theirs, { fieldManager: 'kubectl', force: true });
    const wanted = configMap('theirs', { colour: 'red', size: 'big' }, { annotations: { 'brokkr.io/cleanup': 'always' } });
    const dying = createSilentAgent(world);
    await dying.agent.start();
    const id = world.plane.orders.add(yaml(wanted, job('work')));
    dying.agent.wake();
    await world.clock.advance(15_000);
    dying.kill();
    for (const live of world.jobs(id)) world.endJob(live, 'Complete');
    world.plane.orders.expire(id);
    await world.create().start();
    await world.clock.advance(15_000);
    expect(world.plane.orders.results).toMatchObject([{ success: true, details: { attempt: 2 } }]);
    expect(await world.data('theirs')).toEqual({ colour: 'red', size: 'big' });
  });

  test('nothing of an earlier order: the next one may delete it', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    world.plane.orders.add(yaml(configMap('input')));
    await world.cycle(agent);
    const next = world.plane.orders.add(yaml(cleaned('input')));
    await world.cycle(agent);
    expect(world.plane.orders.results).toMatchObject([{ success: true }, { success: true }]);
    expect(world.ordered(next)).toEqual([]);
    expect(await world.data('input')).toBeUndefined();
  });

  test('no object behind because another one can not be deleted', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    world.cluster.intercept = ({ verb, name }) => {
      if (verb === 'delete' && name === 'b') throw new ClusterError('forbidden', { status: 403, reason: 'Forbidden' });
    };
    const id = world.plane.orders.add(yaml(cleaned('a'), cleaned('b')));
    await world.cycle(agent);
    expect(world.plane.orders.results).toMatchObject([{ success: true }]);
    expect(world.ordered(id)).toEqual(['ConfigMap/b']);
  });

  test('no Job of a cancelled order behind whose creation was still without an answer', async () => {
    const world = createOrderWorld();
    const agent = await world.start();
    let answer = () => {};
    const apply = world.cluster.apply;
    world.cluster.apply = async (manifest, options) => {
      const live = await apply(manifest, options);
      if (manifest.kind === 'Job')
        await new Promise<void>((resolve, reject) => {
          answer = resolve;
          options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
        });
      return live;
    };
    const id = world.plane.orders.add(yaml(job('work')));
    agent.wake();
    await world.clock.advance(5_000);
    expect(world.jobs(id)).toHaveLength(1);
    world.plane.orders.live.delete(id);
    await world.clock.advance(60_000);
    answer();
    expect(world.jobs(id)).toEqual([]);
  });
});
