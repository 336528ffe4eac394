import { expect, test } from '@jest/globals';
import { createAgentWorld, yaml } from './agent-world.ts';

test('what a stack owns is known after the agent got another default namespace', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const plain = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'plain' }, data: { a: '1' } };
  world.plane.post(stack, yaml(plain));
  const agent = await world.start();
  await agent.stop();
  const next = await world.start({ watchNamespace: 'shop' });
  expect(world.objects()).toEqual(['ConfigMap/shop/plain']);
  world.plane.withdraw(stack);
  await world.cycle(next);
  expect(world.objects()).toEqual([]);
});
