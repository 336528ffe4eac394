import { expect, test } from '@jest/globals';
import { createAgentWorld, yaml } from './agent-world.ts';

const web = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { containers: [{ name: 'web' }] } };

test.each([
  { what: 'the password in an address', said: 'Get "https://robot:pull-t0ken-9@registry.example.com/v2/": EOF', secret: 'pull-t0ken-9' },
  { what: 'a bearer token', said: 'unauthorized: Bearer dG9rZW4tb2YtYS1ub2Rl was refused', secret: 'dG9rZW4tb2YtYS1ub2Rl' },
  { what: 'a token in a query', said: 'GET /token?service=r&token=pull-t0ken-9: 401', secret: 'pull-t0ken-9' },
])("an event about an image that can't be pulled leaves out $what, which no object contains", async ({ said, secret }) => {
  const world = createAgentWorld();
  world.cluster.unattended.add('Pod');
  world.plane.post(world.plane.newStack(), yaml(web));
  const agent = await world.start();
  world.cluster.setStatus(
    { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
    { phase: 'Pending', containerStatuses: [{ name: 'web', state: { waiting: { reason: 'ErrImagePull', message: said } } }] },
  );
  await world.clock.advance(120_000);
  await world.settle(agent);
  const event = world.plane.events.at(-1);
  expect(event).toMatchObject({ status: 'FAILURE', message: expect.stringContaining('ErrImagePull') });
  expect(JSON.stringify(world.plane.events)).not.toContain(secret);
});
