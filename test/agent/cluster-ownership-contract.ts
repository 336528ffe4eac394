import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type ApplyOptions, CHANGED, type Cluster, type Manifest } from '../../agent/cluster/cluster.ts';
import { refOf } from './cluster-contract-objects.ts';
import { failureOf } from './cluster-failure.ts';

/** The part of the cluster contract that keeps strangers' objects safe. */
export function clusterOwnershipContract(subject: () => { cluster: Cluster; namespace: string }): void {
  let cluster: Cluster;
  let namespace: string;
  const configMap = (data: Record<string, string>, metadata: Record<string, unknown> = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `map-${randomBytes(4).toString('hex')}`, namespace, ...metadata },
    data,
  });
  const apply = (manifest: Manifest, options: Partial<ApplyOptions> = {}) =>
    cluster.apply(manifest, { fieldManager: 'contract', force: true, ...options });
  beforeAll(() => {
    ({ cluster, namespace } = subject());
  });

  describe('an apply onto one state', () => {
    test('creates an object that is absent, and changes none that is there', async () => {
      const manifest = configMap({ colour: 'red' });
      expect(await apply(manifest, { onto: 'absent' })).toMatchObject({ data: { colour: 'red' } });
      const error = await failureOf(apply({ ...manifest, data: { colour: 'blue' } }, { onto: 'absent', fieldManager: 'another' }));
      expect(error).toMatchObject({ status: 409, reason: CHANGED, retryable: false });
      expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'red' });
    });

    test('one of several callers that create an object at once wins', async () => {
      const manifest = configMap({});
      const tries = Array.from({ length: 8 }, (_, index) =>
        apply({ ...manifest, data: { by: String(index) } }, { onto: 'absent', fieldManager: `manager-${index}` }).then(
          () => 'created',
          (error: { reason?: string }) => error.reason,
        ),
      );
      expect((await Promise.all(tries)).sort()).toEqual([...Array(7).fill(CHANGED), 'created']);
    });

    test('changes the object in the state that was seen, and in no other', async () => {
      const manifest = configMap({ colour: 'red' });
      const { uid, resourceVersion } = (await apply(manifest)).metadata;
      await apply({ ...manifest, data: { colour: 'blue' } }, { onto: { uid, resourceVersion } });
      const late = await failureOf(apply({ ...manifest, data: { colour: 'green' } }, { onto: { uid, resourceVersion } }));
      expect(late).toMatchObject({ reason: CHANGED });
      expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'blue' });
    });

    test.each([
      { what: 'another object of the same name', remake: true },
      { what: 'no object', remake: false },
    ])('by its uid it changes $what', async ({ remake }) => {
      const manifest = configMap({ colour: 'red' });
      const { uid } = (await apply(manifest)).metadata;
      await apply({ ...manifest, data: { colour: 'blue' } }, { onto: { uid } });
      await cluster.delete(refOf(manifest));
      if (remake) await apply(manifest);
      expect(await failureOf(apply({ ...manifest, data: { colour: 'green' } }, { onto: { uid } }))).toMatchObject({ reason: CHANGED });
      expect((await cluster.find(refOf(manifest)))?.data).toEqual(remake ? { colour: 'red' } : undefined);
    });
  });

  describe('taking fields', () => {
    test('makes a manager the only owner of what it applied, so that it can take it away, and leaves the rest to the others', async () => {
      const manifest = configMap({ colour: 'red', size: 'L', note: 'n' });
      await apply(manifest, { fieldManager: 'first' });
      await apply(manifest, { fieldManager: 'another' });
      const { uid } = (await apply({ ...manifest, data: { colour: 'red', size: 'L' } })).metadata;
      await cluster.takeFields(refOf(manifest), { uid, from: ['first', 'another', 'absent'], fields: 'shared', fieldManager: 'contract' });
      await apply({ ...manifest, data: { colour: 'red' } });
      expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'red', note: 'n' });
    });

    test('makes a manager the owner of the fields that are named, so that it can take them away', async () => {
      const manifest = configMap({ colour: 'red' });
      const { uid } = (await apply(manifest)).metadata;
      await apply({ ...manifest, data: { size: 'L', note: 'n' } }, { fieldManager: 'first' });
      const fields = { 'f:data': { 'f:size': {} } };
      await cluster.takeFields(refOf(manifest), { uid, from: ['first'], fields, fieldManager: 'contract' });
      await apply(manifest);
      expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'red', note: 'n' });
    });

    test('does nothing to another object of the same name, or if nothing is shared', async () => {
      const manifest = configMap({ colour: 'red' });
      await apply(manifest, { fieldManager: 'first' });
      const { uid } = (await apply(manifest)).metadata;
      const options = { from: ['first'], fields: 'shared', fieldManager: 'contract' } as const;
      await cluster.takeFields(refOf(manifest), { ...options, uid: '00000000-0000-4000-8000-000000000000' });
      await cluster.takeFields(refOf(manifest), { ...options, uid, from: ['nobody'] });
      await apply({ ...manifest, data: {} });
      expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'red' });
    });
  });

  describe('disowning', () => {
    const marked = (data: Record<string, string>) =>
      configMap(data, { labels: { ours: 'yes', app: 'shop' }, annotations: { ours: 'yes', note: 'n' } });

    test('takes marks and field ownership off an object, and leaves its contents', async () => {
      const manifest = marked({ colour: 'red' });
      await apply({ ...manifest, metadata: { ...manifest.metadata, labels: {}, annotations: {} } }, { fieldManager: 'first' });
      const { uid } = (await apply(manifest)).metadata;
      const options = { uid, labels: ['ours', 'absent'], annotations: ['ours'], fieldManager: 'contract' };
      expect(await cluster.disown(refOf(manifest), options)).toBe('disowned');
      const live = await cluster.find(refOf(manifest));
      expect(live).toMatchObject({ data: { colour: 'red' }, metadata: { labels: { app: 'shop' }, annotations: { note: 'n' } } });
      expect(live?.metadata.labels).not.toHaveProperty('ours');
      expect(live?.metadata.annotations).not.toHaveProperty('ours');
      // Nobody owns the labels any more, so another manager meets no conflict, and the first one still owns the data.
      await apply(configMap({}, { name: manifest.metadata.name, labels: { app: 'web' } }), { fieldManager: 'another', force: false });
      const taking = apply(configMap({ colour: 'blue' }, { name: manifest.metadata.name }), { fieldManager: 'another', force: false });
      expect((await failureOf(taking)).message).toContain('first');
    });

    test('works on an object of which nobody else owns a field', async () => {
      const manifest = marked({ colour: 'red' });
      const { uid } = (await apply(manifest)).metadata;
      await cluster.disown(refOf(manifest), { uid, labels: ['ours'], annotations: ['ours'], fieldManager: 'contract' });
      const live = await apply({ ...manifest, data: { colour: 'blue' } }, { fieldManager: 'another' });
      expect(live.data).toEqual({ colour: 'blue' });
      expect(JSON.stringify(live.metadata.managedFields ?? [])).not.toContain('contract');
    });

    test('leaves an object of another uid alone', async () => {
      const manifest = marked({});
      await apply(manifest);
      const options = { uid: '00000000-0000-4000-8000-000000000000', labels: ['ours'], annotations: [], fieldManager: 'contract' };
      expect(await cluster.disown(refOf(manifest), options)).toBe('gone');
      expect((await cluster.find(refOf(manifest)))?.metadata.labels).toMatchObject({ ours: 'yes' });
    });
  });

  test('the metadata of all that is in a namespace can be listed', async () => {
    const manifest = configMap({ colour: 'red' }, { labels: { app: 'shop' } });
    await apply(manifest);
    const account = { ...configMap({}), kind: 'ServiceAccount', data: undefined };
    await apply(JSON.parse(JSON.stringify(account)));
    const found = await cluster.listMetadata({ namespace });
    for (const { kind, metadata } of [manifest, account])
      expect(found).toContainEqual(expect.objectContaining({ kind, metadata: expect.objectContaining({ name: metadata.name }) }));
    const ofKind = await cluster.listMetadata({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(ofKind.map(({ metadata }) => metadata.name)).toContain(manifest.metadata.name);
    const ofKindHere = await cluster.listMetadata({ apiVersion: 'v1', kind: 'ConfigMap', namespace });
    expect(ofKindHere).toContainEqual(expect.objectContaining({ kind: 'ConfigMap', metadata: expect.objectContaining({ namespace }) }));
    expect(ofKindHere.filter((object) => object.metadata.namespace !== namespace || object.kind !== 'ConfigMap')).toEqual([]);
  });
}
