import { expect, test } from '@jest/globals';
import { configMap, configMaps, createAgentWorld, deployment, namespace, widget, widgetDefinition, yaml } from './agent-world.ts';

test('contents that are posted are applied, marked with their owner, and reported once', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const object = world.plane.post(stack, yaml(configMap('a'), deployment('web')));
  const agent = await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/a', 'Deployment/shop/web']);
  const live = await world.cluster.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
  expect(live?.metadata).toMatchObject({
    labels: { 'k8s.brokkr.io/stack': stack, 'brokkr.io/owner-id': world.plane.agentId },
    annotations: {
      'k8s.brokkr.io/stack': stack,
      'brokkr.io/owner-id': world.plane.agentId,
      'brokkr.io/deployment-object-id': object.id,
      'k8s.brokkr.io/deployment-checksum': object.yaml_checksum,
      'k8s.brokkr.io/last-config-applied': object.yaml_checksum,
    },
  });
  await world.cycle(agent);
  expect(world.plane.events).toMatchObject([
    {
      event_type: 'DEPLOY',
      status: 'SUCCESS',
      deployment_object_id: object.id,
      message: '2 created',
      details: { objects_total: 2, counts: { created: 2 } },
    },
  ]);
});

test('an update changes what changed and prunes what left', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a'), configMap('b')));
  const agent = await world.start();
  world.plane.post(stack, yaml(configMap('b', { colour: 'blue' }), configMap('c')));
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/b', 'ConfigMap/shop/c']);
  expect(await world.data('b')).toEqual({ colour: 'blue' });
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', message: '1 configured, 1 created, 1 deleted' });
});

test('an unchanged poll asks the cluster for nothing', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(...configMaps(20)));
  const agent = await world.start();
  const calls: string[] = [];
  world.cluster.intercept = ({ verb }) => void (verb !== 'version' && calls.push(verb));
  await world.cycle(agent);
  await world.clock.advance(60_000);
  expect(calls).toEqual([]);
});

test('the same contents posted again are reported without a word to the cluster', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const text = yaml(...configMaps(3));
  world.plane.post(stack, text);
  const agent = await world.start();
  const calls: string[] = [];
  world.cluster.intercept = ({ verb }) => void (verb !== 'version' && calls.push(verb));
  const again = world.plane.post(stack, text);
  await world.cycle(agent);
  expect(calls).toEqual([]);
  expect(world.plane.events.at(-1)).toMatchObject({ status: 'SUCCESS', deployment_object_id: again.id, message: 'unchanged' });
});

test('a definition and what it defines come in one stack, in a namespace of its own', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  const inside = { ...widget('one'), metadata: { name: 'one', namespace: 'fresh' } };
  world.plane.post(stack, yaml(inside, widgetDefinition, namespace('fresh')));
  const agent = await world.start();
  expect(world.objects()).toEqual(['CustomResourceDefinition/widgets.example.com', 'Namespace/fresh', 'Widget/fresh/one']);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS']);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
  expect(world.statuses()).toEqual(['DEPLOY SUCCESS', 'REMOVE SUCCESS']);
  expect(world.cluster.all().filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
});

test('an invalid object changes nothing, and is named', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  const agent = await world.start();
  const before = JSON.stringify(world.cluster.all());
  world.plane.post(stack, yaml(configMap('a', { colour: 'blue' }), configMap('Not_A_Name')));
  await world.cycle(agent);
  expect(JSON.stringify(world.cluster.all())).toBe(before);
  expect(world.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: expect.stringMatching(/^ConfigMap\/shop\/Not_A_Name: .*metadata\.name/),
  });
  expect(world.plane.events.at(-1)?.details?.objects[0]).toMatchObject({ name: 'Not_A_Name', action: 'failed' });
});

test('a Namespace that a failed attempt created stays for the next one, whose event gives the same cause', async () => {
  const world = createAgentWorld();
  const bad = { ...configMap('Not_A_Name'), metadata: { name: 'Not_A_Name', namespace: 'fresh' } };
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('fresh'), bad));
  const agent = await world.start();
  const uid = async () => (await world.cluster.find({ apiVersion: 'v1', kind: 'Namespace', name: 'fresh' }))?.metadata.uid;
  const first = await uid();
  await world.clock.advance(120_000);
  expect(await uid()).toBe(first);
  expect(world.plane.events.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^ConfigMap\/fresh\/Not_A_Name: .*metadata\.name/),
  ]);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(await uid()).toBeUndefined();
});

test('one failing stack does not hold up another', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), 'kind: [');
  world.plane.post(world.plane.newStack(), yaml({ apiVersion: 'policy/v1beta1', kind: 'Nothing', metadata: { name: 'x' } }));
  world.plane.post(world.plane.newStack(), yaml(configMap('good')));
  await world.start();
  expect(world.objects()).toEqual(['ConfigMap/shop/good']);
  expect(world.statuses().sort()).toEqual(['DEPLOY FAILURE', 'DEPLOY FAILURE', 'DEPLOY SUCCESS']);
});

test('an agent that is not active changes nothing and goes on once it is', async () => {
  const world = createAgentWorld();
  world.plane.status = 'INACTIVE';
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a')));
  const agent = await world.start();
  expect(world.objects()).toEqual([]);
  expect(world.plane.heartbeats.length).toBeGreaterThan(0);
  world.plane.status = 'ACTIVE';
  world.plane.touch();
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  world.plane.status = 'INACTIVE';
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
});

test('a deletion marker deletes what the stack owns, whatever its YAML says', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(configMap('a'), deployment('web')));
  const agent = await world.start();
  const marker = world.plane.post(stack, yaml(configMap('b')), { marker: true });
  await world.cycle(agent);
  expect(world.objects()).toEqual([]);
  expect(world.plane.events.at(-1)).toMatchObject({
    event_type: 'DEPLOY',
    status: 'SUCCESS',
    deployment_object_id: marker.id,
    message: '2 deleted',
  });
});
