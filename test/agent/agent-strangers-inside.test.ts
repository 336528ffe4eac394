import { expect, test } from '@jest/globals';
import { ClusterError, type Manifest } from '../../agent/cluster/cluster.ts';
import { type AgentWorld, configMap, createAgentWorld, namespace, widget, widgetDefinition, yaml } from './agent-world.ts';

const byHand = ({ cluster }: AgentWorld, manifest: Manifest) => cluster.apply(manifest, { fieldManager: 'kubectl', force: true });
const names = ({ cluster }: AgentWorld) => cluster.all().map(({ kind, metadata }) => `${kind}/${metadata.name}`);
const fingerprintIn = (message: string | null | undefined) => /to ([0-9a-f]{10})$/.exec(message ?? '')?.[1] ?? '';
const secret = (name: string, where: string): Manifest => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: where } });

test.each([
  {
    what: 'a Namespace',
    contents: [namespace('team'), configMap('inside', {}, { namespace: 'team' })],
    stranger: secret('ledger-key', 'team'),
    container: 'Namespace/team',
    own: 'ConfigMap/inside',
  },
  {
    what: 'a CustomResourceDefinition',
    contents: [widgetDefinition, widget('own')],
    stranger: widget('ledger-key'),
    container: 'CustomResourceDefinition/widgets.example.com',
    own: 'Widget/own',
  },
])("$what that contains a stranger's object is deleted only when that is confirmed", async ({ contents, stranger, container, own }) => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(...contents));
  const agent = await world.start();
  await byHand(world, stranger);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  const event = world.plane.events.at(-1);
  expect(event).toMatchObject({ event_type: 'REMOVE', status: 'FAILURE' });
  expect(event?.message).toContain(`${container} is held: it contains what no stack of this agent created: `);
  expect(event?.message).toContain('ledger-key');
  expect(names(world)).toEqual(expect.arrayContaining([container, `${stranger.kind}/ledger-key`]));
  expect(names(world)).not.toContain(own);

  world.plane.agentAnnotations.push({ key: 'brokkr.io/confirm-deletion', value: `0123456789 ${fingerprintIn(event?.message)}` });
  await world.clock.advance(20_000);
  await world.settle(agent);
  expect(names(world)).not.toContain(container);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

test.each([
  { what: 'with all that its stack made', inside: [] },
  {
    what: 'with what Kubernetes makes in every namespace',
    inside: [
      { ...configMap('kube-root-ca.crt'), metadata: { name: 'kube-root-ca.crt', namespace: 'team' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'team' } },
      { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web', namespace: 'team' } },
      { apiVersion: 'v1', kind: 'Event', metadata: { name: 'happened', namespace: 'team' } },
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader', namespace: 'team' } },
    ],
  },
  {
    what: 'with what controllers made of its objects',
    inside: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'web-1',
          namespace: 'team',
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'x' }],
        },
      },
    ],
  },
])('a Namespace goes $what', async ({ inside }) => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('team'), configMap('inside', {}, { namespace: 'team' })));
  const agent = await world.start();
  for (const manifest of inside) await byHand(world, manifest);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
  expect(names(world)).not.toContain('Namespace/team');
});

test('an object that was adopted in a Namespace of the stack holds the Namespace', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('team')));
  const agent = await world.start();
  await byHand(world, secret('ledger-key', 'team'));
  world.plane.post(stack, yaml(namespace('team'), secret('ledger-key', 'team')));
  await world.cycle(agent);
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(names(world)).toEqual(expect.arrayContaining(['Namespace/team', 'Secret/ledger-key']));
  expect(world.statuses().at(-1)).toBe('REMOVE FAILURE');
});

test('a Namespace is deleted with its contents if no confirmation is required', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('team')));
  const agent = await world.start({ massDeletion: 'allow' });
  await byHand(world, secret('ledger-key', 'team'));
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(names(world)).not.toContain('Namespace/team');
});

test('a Namespace waits while nobody can tell what is in it, and the rest of its stack goes', async () => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('team'), configMap('inside', {}, { namespace: 'team' })));
  const agent = await world.start();
  world.cluster.intercept = ({ verb, kind, namespace: inside }) => {
    if (verb !== 'list' || kind !== '' || inside !== 'team') return;
    throw new ClusterError('the server of metrics.example.com/v1 does not answer', { status: 503, reason: 'ServiceUnavailable' });
  };
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(names(world)).toContain('Namespace/team');
  expect(names(world)).not.toContain('ConfigMap/inside');
  expect(world.plane.events.at(-1)).toMatchObject({
    status: 'FAILURE',
    message: expect.stringMatching(/Namespace\/team is held: .*since the server of metrics.example.com\/v1 does not answer/),
  });

  world.cluster.intercept = undefined;
  await world.clock.advance(20_000);
  await world.settle(agent);
  expect(world.statuses().at(-1)).toBe('REMOVE SUCCESS');
});

const claim = (metadata: object): Manifest => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data-db-0', namespace: 'team', ...metadata },
});

test.each([
  { what: 'keeps', owner: {}, left: ['Namespace/team'], status: 'REMOVE FAILURE' },
  {
    what: 'lets go',
    owner: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'x' }] },
    left: [],
    status: 'REMOVE SUCCESS',
  },
])('a Namespace with the claim of a StatefulSet that $what it ends as $status', async ({ owner, left, status }) => {
  const world = createAgentWorld();
  const stack = world.plane.newStack();
  world.plane.post(stack, yaml(namespace('team')));
  const agent = await world.start();
  await byHand(world, claim(owner));
  world.plane.withdraw(stack);
  await world.cycle(agent);
  expect(names(world).filter((name) => name === 'Namespace/team')).toEqual(left);
  expect(world.statuses().at(-1)).toBe(status);
  const tellsHow = /whenDeleted is Delete go without a confirmation\. To delete it/.test(world.plane.events.at(-1)?.message ?? '');
  expect(tellsHow).toBe(left.length > 0);
});
