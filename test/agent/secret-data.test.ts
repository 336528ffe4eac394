import { expect, test } from '@jest/globals';
import type { Manifest } from '../../agent/cluster/cluster.ts';
import { withEncodedStringData } from '../../agent/reconcile/desired/secret-data.ts';
import { createAgentWorld, yaml } from './agent-world.ts';

const secret = (fields: Record<string, unknown>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'mail', namespace: 'shop' },
  ...fields,
});
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('a key that is removed from stringData leaves the Secret in the cluster', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(secret({ stringData: { user: 'postmaster', 'old-token': 'revoke-me' } })));
  const agent = await world.start();
  world.plane.post(stack, yaml(secret({ stringData: { user: 'postmaster' } })));
  await world.cycle(agent);
  const live = await world.cluster.find({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'mail' });
  expect(live?.data).toEqual({ user: base64('postmaster') });
  expect(live).not.toHaveProperty('stringData');
});

test.each([
  { what: 'stringData becomes data', from: { stringData: { a: 'ä' } }, to: { data: { a: base64('ä') } } },
  {
    what: 'stringData overrides data',
    from: { data: { a: base64('old'), b: base64('b') }, stringData: { a: 'new' } },
    to: { data: { a: base64('new'), b: base64('b') } },
  },
  { what: 'an empty stringData is dropped', from: { data: { a: 'eA==' }, stringData: null }, to: { data: { a: 'eA==' } } },
  { what: 'data without a value counts as none', from: { data: null, stringData: { a: 'x' } }, to: { data: { a: base64('x') } } },
  { what: 'a key without a value is an empty text', from: { stringData: { a: null } }, to: { data: { a: '' } } },
  { what: 'values that are no texts are left for the API server to refuse', from: { stringData: { a: 1 } }, to: { stringData: { a: 1 } } },
])('in a Secret, $what', ({ from, to }) => {
  expect(withEncodedStringData(secret(from))).toEqual(secret(to));
});

test('stringData of another kind than a Secret is left alone', () => {
  const other = { ...secret({ stringData: { a: 'x' } }), apiVersion: 'example.com/v1' };
  expect(withEncodedStringData(other)).toBe(other);
});
