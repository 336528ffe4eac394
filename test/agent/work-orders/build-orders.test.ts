import { describe, expect, test } from '@jest/globals';
import type { Manifest } from '../../../agent/cluster/cluster.ts';
import { configMap } from '../agent-world.ts';
import { createOrderWorld, type OrderWorld, yaml } from './order-world.ts';

const definition = (kind: string, plural: string): Manifest => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.shipwright.io` },
  spec: {
    group: 'shipwright.io',
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: ['v1alpha1', 'v1beta1'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1beta1',
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    })),
  },
});
const build = (name: string, version = 'v1beta1'): Manifest => ({
  apiVersion: `shipwright.io/${version}`,
  kind: 'Build',
  metadata: { name, namespace: 'shop' },
  spec: { output: { image: 'registry.example.com/web' } },
});

async function worldWithShipwright(): Promise<OrderWorld> {
  const world = createOrderWorld();
  for (const manifest of [definition('Build', 'builds'), definition('BuildRun', 'buildruns')])
    await world.cluster.apply(manifest, { fieldManager: 'shipwright', force: true });
  return world;
}
const runs = (world: OrderWorld) => world.cluster.all().filter(({ kind }) => kind === 'BuildRun');

describe('a build order', () => {
  test.each([
    ['v1beta1', { build: { name: 'web' } }],
    ['v1alpha1', { buildRef: { name: 'web' } }],
  ])('with a Build of %s runs it once, and reports the digest of the image', async (version, spec) => {
    const world = await worldWithShipwright();
    const agent = await world.start();
    const id = world.plane.orders.add(yaml(configMap('sources'), build('web', version)), { work_type: 'build' });
    agent.wake();
    await world.clock.advance(10_000);
    const [run] = runs(world);
    expect(run).toMatchObject({
      metadata: {
        name: `web-${id.slice(-8)}-a1`,
        namespace: 'shop',
        labels: { 'brokkr.io/work-order-id': id, 'shipwright.io/build': 'web' },
      },
      spec,
    });
    if (!run) return;
    const ref = { apiVersion: run.apiVersion, kind: 'BuildRun', namespace: 'shop', name: run.metadata.name };
    world.cluster.setStatus(ref, { conditions: [{ type: 'Succeeded', status: 'True' }], output: { digest: 'sha256:abc' } });
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([
      {
        success: true,
        message: expect.stringContaining('image sha256:abc'),
        details: { jobs: [{ kind: 'BuildRun', image_digest: 'sha256:abc' }] },
      },
    ]);
  });

  test('whose run fails tells the reason', async () => {
    const world = await worldWithShipwright();
    const agent = await world.start();
    world.plane.orders.add(yaml(build('web')), { work_type: 'build' });
    agent.wake();
    await world.clock.advance(10_000);
    const [run] = runs(world);
    const ref = { apiVersion: 'shipwright.io/v1beta1', kind: 'BuildRun', namespace: 'shop', name: run?.metadata.name ?? '' };
    const failed = { type: 'Succeeded', status: 'False', reason: 'BuildStrategyNotFound', message: 'no such strategy' };
    world.cluster.setStatus(ref, { conditions: [failed] });
    await world.clock.advance(5_000);
    expect(world.plane.orders.results).toMatchObject([
      { success: false, retryable: false, message: expect.stringContaining('BuildStrategyNotFound: no such strategy') },
    ]);
  });

  test.each([
    ['no Build', [configMap('a')], 'exactly one Build of shipwright.io, and has 0'],
    ['two Builds', [build('a'), build('b')], 'exactly one Build of shipwright.io, and has 2'],
  ])('with %s fails for good', async (_what, objects, words) => {
    const world = await worldWithShipwright();
    const id = world.plane.orders.add(yaml(...objects), { work_type: 'build' });
    await world.start();
    expect(world.plane.orders.results).toMatchObject([{ success: false, retryable: false, message: expect.stringContaining(words) }]);
    expect(world.ordered(id)).toEqual([]);
  });

  test('in a cluster without Shipwright fails for good, and names the kind', async () => {
    const world = createOrderWorld();
    world.plane.orders.add(yaml(build('web')), { work_type: 'build' });
    await world.start();
    expect(world.plane.orders.results).toMatchObject([
      { success: false, retryable: false, message: expect.stringContaining('the cluster has no kind shipwright.io/v1beta1 Build') },
    ]);
  });
});
