import { expect, test } from '@jest/globals';
import { ClusterError, IMMUTABLE } from '../../agent/cluster/cluster.ts';
import { configMap, createAgentWorld, yaml } from './agent-world.ts';

const KEPT = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'kept' };

test.each(['yaml', 'cluster'])(
  'an object that is to be kept, as its annotation in the %s says, is not deleted to be created again',
  async (where) => {
    const world = createAgentWorld();
    const stack = world.plane.newStack();
    const keep = where === 'yaml' ? { annotations: { 'brokkr.io/keep': 'true' } } : {};
    world.plane.stackAnnotationsOf.set(stack, { 'brokkr.io/recreate': 'immutable' });
    world.plane.post(stack, yaml(configMap('kept', { a: '1' }, keep)));
    const agent = await world.start();
    if (where === 'cluster')
      await world.cluster.apply(configMap('kept', { a: '1' }, { annotations: { 'brokkr.io/keep': 'true' } }), {
        fieldManager: 'user',
        force: true,
      });
    const before = (await world.cluster.find(KEPT))?.metadata.uid;
    let deleted = false;
    world.cluster.intercept = ({ verb, name }) => {
      if (name !== 'kept') return;
      if (verb === 'delete') deleted = true;
      if (!deleted && (verb === 'apply' || verb === 'dry-run'))
        throw new ClusterError('data: field is immutable', { status: 422, reason: IMMUTABLE });
    };
    world.plane.post(stack, yaml(configMap('kept', { a: '2' }, keep)));
    await world.cycle(agent);
    expect((await world.cluster.find(KEPT))?.metadata.uid).toBe(before);
  },
);
