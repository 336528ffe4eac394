import { expect, test } from '@jest/globals';
import { createAgentWorld } from './agent-world.ts';

test.each([
  { like: 'an alias', text: '*hunter2', reason: 'unknown alias' },
  { like: 'a tag', text: '!hunter2', reason: 'Unresolved tag' },
  { like: 'a block', text: '|hunter2', reason: 'Block scalar header includes extra characters' },
])('an event about YAML does not repeat a password that looks like $like', async ({ text, reason }) => {
  const world = createAgentWorld();
  world.plane.post(
    world.plane.newStack(),
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata:\n  password: ${text}\n`,
  );
  await world.start();
  expect(world.plane.events).toMatchObject([
    { status: 'FAILURE', message: expect.stringMatching(new RegExp(`^document 1, line \\d: ${reason}$`)) },
  ]);
});
