import { expect, test } from '@jest/globals';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { type AgentWorld, configMap, createAgentWorld, deployment, namespace, widget, widgetDefinition, yaml } from './agent-world.ts';
import { type Mortal, mortalPorts } from './mortal-ports.ts';

interface Story {
  world: AgentWorld;
  deleted: Set<string>;
}

/** A life with everything in it: an update that adds, drops and defines, a withdrawal, a marker, and a stack nobody touches. */
async function prologue(): Promise<Story> {
  const world = createAgentWorld();
  const [changing, leaving, marked, steady] = [
    world.plane.newStack(),
    world.plane.newStack(),
    world.plane.newStack(),
    world.plane.newStack(),
  ];
  await world.cluster.apply(configMap('users-own'), { fieldManager: 'user', force: true });
  world.plane.post(changing, yaml(configMap('stays'), configMap('leaves')));
  world.plane.post(leaving, yaml(configMap('withdrawn'), deployment('withdrawn')));
  world.plane.post(marked, yaml(configMap('marked')));
  world.plane.post(steady, yaml(configMap('steady'), deployment('steady')));
  const agent = await world.start();
  await agent.stop();
  world.plane.post(
    changing,
    yaml(
      configMap('stays', { colour: 'blue' }, { annotations: { 'brokkr.io/stack-drift': 'ignore' } }),
      namespace('fresh'),
      widgetDefinition,
      widget('one'),
      {
        ...configMap('new'),
        metadata: { name: 'new', namespace: 'fresh' },
      },
    ),
  );
  world.plane.withdraw(leaving);
  world.plane.post(marked, '', { marker: true });
  const deleted = new Set<string>();
  const { delete: remove } = world.cluster;
  world.cluster.delete = async (ref, options) => {
    const answer = await remove(ref, options);
    if (answer !== 'gone' && !ref.name.startsWith('brokkr-inventory-')) deleted.add(`${ref.kind}/${ref.name}`);
    return answer;
  };
  return { world, deleted };
}

/** Until it is dead or has nothing left to do. */
async function liveUntilKilled({ world }: Story, ports: Mortal): Promise<void> {
  const agent = world.create({}, ports);
  let rests = false;
  void agent.start().then(async () => {
    await agent.settled();
    rests = true;
  });
  for (let turn = 0; turn < 200 && !ports.dead() && !rests; turn += 1) await world.clock.next();
  await world.clock.flush();
  if (!ports.dead()) await agent.stop();
}

async function epilogue({ world, deleted }: Story): Promise<void> {
  const agent = await world.start();
  await world.clock.advance(30_000);
  await world.settle(agent);
  expect(world.objects()).toEqual([
    'ConfigMap/fresh/new',
    'ConfigMap/shop/stays',
    'ConfigMap/shop/steady',
    'CustomResourceDefinition/widgets.example.com',
    'Deployment/shop/steady',
    'Namespace/fresh',
    'Widget/shop/one',
  ]);
  expect(await world.data('stays')).toEqual({ colour: 'blue' });
  expect(await world.data('users-own')).toEqual({ colour: 'red' });
  expect([...deleted].sort()).toEqual(['ConfigMap/leaves', 'ConfigMap/marked', 'ConfigMap/withdrawn', 'Deployment/withdrawn']);
  expect(world.plane.current().assignments.map(({ state }) => state)).toEqual(['assigned', 'assigned', 'assigned']);
  const last = new Map(world.plane.events.map((event) => [event.deployment_object_id, `${event.event_type} ${event.status}`]));
  expect([...last.values()].filter((status) => status.endsWith('FAILURE'))).toEqual([]);
  for (const { deployment_object_id } of world.plane.current().assignments)
    expect(last.get(deployment_object_id ?? '')).toBe('DEPLOY SUCCESS');
  await agent.stop();
}

test('killed before or after any of its effects, the next agent ends where the first would have', async () => {
  const whole = await prologue();
  const counting = mortalPorts({ cluster: whole.world.cluster, controlPlane: whole.world.plane, files: whole.world.files });
  await liveUntilKilled(whole, counting);
  await epilogue(whole);
  const effects = counting.effects();
  expect(effects).toBeGreaterThan(40);
  for (let killAt = 1; killAt <= effects; killAt += 1) {
    for (const when of ['before', 'after'] as const) {
      const story = await prologue();
      const { cluster, plane, files } = story.world;
      await liveUntilKilled(story, mortalPorts({ cluster, controlPlane: plane, files }, { killAt, when }));
      await epilogue(story);
    }
  }
}, 60_000);

test('killed anywhere in an apply that nobody wants any more afterwards, it leaves nothing behind', async () => {
  const begin = async () => {
    const world = createAgentWorld();
    const stack = world.plane.newStack();
    world.plane.post(stack, yaml(configMap('before')));
    await (await world.start()).stop();
    const inside = { ...configMap('inside'), metadata: { name: 'inside', namespace: 'fresh' } };
    world.plane.post(stack, yaml(namespace('fresh'), inside, widgetDefinition, widget('one'), configMap('after')));
    return { story: { world, deleted: new Set<string>() }, stack };
  };
  const whole = await begin();
  const counting = mortalPorts({
    cluster: whole.story.world.cluster,
    controlPlane: whole.story.world.plane,
    files: whole.story.world.files,
  });
  await liveUntilKilled(whole.story, counting);
  expect(whole.story.world.objects()).toHaveLength(5);
  for (let killAt = 1; killAt <= counting.effects(); killAt += 1) {
    const { story, stack } = await begin();
    const { world } = story;
    await liveUntilKilled(
      story,
      mortalPorts({ cluster: world.cluster, controlPlane: world.plane, files: world.files }, { killAt, when: 'after' }),
    );
    world.plane.withdraw(stack);
    const agent = await world.start();
    expect([killAt, world.objects()]).toEqual([killAt, []]);
    expect(world.plane.current().assignments).toEqual([]);
    await agent.stop();
  }
}, 60_000);

test('an agent that lost its disk and comes back on the same cluster deletes nothing it was not told to', async () => {
  const story = await prologue();
  story.world.files.read = createMemoryFiles().read;
  await epilogue(story);
});
