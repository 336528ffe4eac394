import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApplyOptions, type Cluster, type Manifest, type ObjectRef, UNSERVED } from '../../agent/cluster/cluster.ts';
import { customResourceDefinition, eventually, isEstablished, refOf } from './cluster-contract-objects.ts';
import { failureOf } from './cluster-failure.ts';
import { clusterOwnershipContract } from './cluster-ownership-contract.ts';

/** The API group of the custom resources below: whoever runs this needs the right to define and to apply them. */
export const CONTRACT_GROUP = 'contract.brokkr.test';

export interface ContractSubject {
  cluster: Cluster;
  /** Exists, and nothing else is in it. A page size below five makes the lists below take several pages. */
  namespace: string;
  dispose(): Promise<void>;
}

/** The promises that the agent relies on. Each implementation of the port keeps them. */
export function clusterContract(name: string, makeCluster: () => Promise<ContractSubject>): void {
  describe(`${name} is a cluster`, () => {
    let subject: ContractSubject;
    let cluster: Cluster;
    let namespace: string;
    const leftovers: ObjectRef[] = [];
    const unique = (word: string) => `${word}-${randomBytes(4).toString('hex')}`;
    const configMap = (data: Record<string, string>, objectName = unique('map'), metadata: Record<string, unknown> = {}): Manifest => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: objectName, namespace, ...metadata },
      data,
    });
    const apply = (manifest: Manifest, options: Partial<ApplyOptions> = {}) =>
      cluster.apply(manifest, { fieldManager: 'contract', force: false, ...options });
    const makeNamespace = async () => {
      const manifest: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: unique('contract') } };
      await apply(manifest);
      leftovers.push(refOf(manifest));
      return manifest.metadata.name;
    };

    beforeAll(async () => {
      subject = await makeCluster();
      ({ cluster, namespace } = subject);
    });
    afterAll(async () => {
      for (const ref of leftovers) await cluster.delete(ref);
      await cluster.close();
      await subject.dispose();
    });

    test('the cluster returns its version', async () => {
      expect(await cluster.version()).toMatch(/^v\d+\.\d+/);
    });

    describe('kinds', () => {
      test.each([
        ['v1', 'ConfigMap', 'configmaps', true],
        ['v1', 'Namespace', 'namespaces', false],
        ['apps/v1', 'Deployment', 'deployments', true],
        ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false],
        ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false],
      ])('%s %s is known', async (apiVersion, kind, plural, namespaced) => {
        expect(await cluster.findKind(apiVersion, kind)).toMatchObject({ apiVersion, kind, plural, namespaced });
      });

      test.each([
        ['v1', 'ConfigMpa'],
        ['v2', 'ConfigMap'],
        ['apps/v1', 'ConfigMap'],
        ['nowhere.brokkr.test/v1', 'Widget'],
      ])('%s %s is unknown', async (apiVersion, kind) => {
        expect(await cluster.findKind(apiVersion, kind)).toBeUndefined();
        expect(await cluster.findKind(apiVersion, kind, { fresh: true })).toBeUndefined();
      });

      test('an unserved kind is an error for find, list, apply and delete, never an empty list or a missing object', async () => {
        const ref = { apiVersion: 'nowhere.brokkr.test/v1', kind: 'Widget', namespace, name: 'one' };
        const manifest = { apiVersion: ref.apiVersion, kind: 'Widget', metadata: { name: 'one', namespace } };
        const calls = [() => cluster.find(ref), () => cluster.list(ref, { namespace }), () => cluster.delete(ref), () => apply(manifest)];
        for (const call of calls) {
          const error = await failureOf(call());
          expect(error).toMatchObject({ status: 404, reason: UNSERVED, retryable: false });
          expect(error.message).toContain('Widget');
        }
      });
    });

    describe('apply', () => {
      test('apply creates an object that does not exist', async () => {
        const manifest = configMap({ colour: 'red' }, undefined, { labels: { app: 'shop' }, annotations: { note: 'n' } });
        const applied = await apply(manifest);
        expect(applied).toMatchObject(manifest);
        expect(applied.metadata.uid).toMatch(/./);
        expect(applied.metadata.resourceVersion).toMatch(/./);
        expect(await cluster.find(refOf(manifest))).toEqual(applied);
      });

      test('apply updates an object that exists', async () => {
        const manifest = configMap({ colour: 'red' });
        const before = await apply(manifest);
        const after = await apply({ ...manifest, data: { colour: 'blue' } });
        expect(after).toMatchObject({ data: { colour: 'blue' }, metadata: { uid: before.metadata.uid } });
        expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
      });

      test('applying the same manifest again changes nothing, not even the resource version', async () => {
        const manifest = configMap({ colour: 'red' });
        const before = await apply(manifest);
        const after = await apply(manifest);
        expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
      });

      test('a field that its manager no longer applies is removed', async () => {
        const manifest = configMap({ colour: 'red', size: 'L' }, undefined, { labels: { app: 'shop', tier: 'web' } });
        await apply(manifest);
        const after = await apply({
          ...configMap({ colour: 'red' }, manifest.metadata.name),
          metadata: { ...manifest.metadata, labels: { app: 'shop' } },
        });
        expect(after).toMatchObject({ data: { colour: 'red' }, metadata: { labels: { app: 'shop' } } });
        expect(after.data).not.toHaveProperty('size');
        expect(after.metadata.labels).not.toHaveProperty('tier');
      });

      test('the fields of other managers stay', async () => {
        const manifest = configMap({ colour: 'red' });
        await apply(manifest);
        await apply({ ...manifest, data: { size: 'L' } }, { fieldManager: 'another' });
        expect(await apply({ ...manifest, data: { colour: 'blue' } })).toMatchObject({ data: { colour: 'blue', size: 'L' } });
      });

      test('a field of another manager can be shared by applying the same value', async () => {
        const manifest = configMap({ colour: 'red' });
        await apply(manifest);
        await apply(manifest, { fieldManager: 'another' });
        await apply({ ...manifest, data: {} });
        expect(await cluster.find(refOf(manifest))).toMatchObject({ data: { colour: 'red' } });
      });

      test('without force a field that another manager owns is a conflict, and nothing changes', async () => {
        const manifest = configMap({ colour: 'red' });
        await apply(manifest);
        const error = await failureOf(apply({ ...manifest, data: { colour: 'blue', size: 'L' } }, { fieldManager: 'another' }));
        expect(error).toMatchObject({ status: 409, reason: 'Conflict', retryable: false });
        expect(error.message).toContain('contract');
        expect((await cluster.find(refOf(manifest)))?.data).toEqual({ colour: 'red' });
      });

      test('with force the field is taken over', async () => {
        const manifest = configMap({ colour: 'red' });
        await apply(manifest);
        const taken = await apply({ ...manifest, data: { colour: 'blue' } }, { fieldManager: 'another', force: true });
        expect(taken).toMatchObject({ data: { colour: 'blue' } });
        expect(await failureOf(apply(manifest))).toMatchObject({ status: 409, reason: 'Conflict' });
      });

      test('an invalid object is refused with the reason', async () => {
        const error = await failureOf(apply(configMap({}, 'Not_A_Name')));
        expect(error).toMatchObject({ status: 422, reason: 'Invalid', retryable: false });
        expect(error.message).toContain('metadata.name');
      });

      test.each([false, true])('in a namespace that is not there it fails (dry run: %s)', async (dryRun) => {
        const missing = unique('missing');
        const error = await failureOf(apply(configMap({}, 'one', { namespace: missing }), { dryRun }));
        expect(error).toMatchObject({ status: 404, reason: 'NotFound', retryable: false });
        expect(error.message).toContain(missing);
      });

      test('a namespaced object that names no namespace is refused', async () => {
        const error = await failureOf(apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'homeless' } }));
        expect(error).toMatchObject({ status: 400, reason: 'BadRequest', retryable: false });
      });

      test('a caller who gave up gets its own reason', async () => {
        const reason = new Error('the agent is stopping');
        await expect(apply(configMap({}), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      });
    });

    describe('dry run', () => {
      test('a dry run returns a new object without a resource version and does not store it', async () => {
        const manifest = configMap({ colour: 'red' });
        const would = await apply(manifest, { dryRun: true });
        expect(would).toMatchObject(manifest);
        expect(would.metadata.resourceVersion).toBe('');
        expect(await cluster.find(refOf(manifest))).toBeUndefined();
      });

      test('a dry run returns a changed object and does not store the change', async () => {
        const manifest = configMap({ colour: 'red' });
        const stored = await apply(manifest);
        const would = await apply({ ...manifest, data: { colour: 'blue' } }, { dryRun: true });
        expect(would).toMatchObject({ data: { colour: 'blue' }, metadata: { uid: stored.metadata.uid } });
        expect(await cluster.find(refOf(manifest))).toEqual(stored);
      });

      test('a dry run that changes nothing returns the stored object', async () => {
        const manifest = configMap({ colour: 'red' });
        const stored = await apply(manifest);
        expect(await apply(manifest, { dryRun: true })).toEqual(stored);
      });

      test('an invalid object and a conflict are refused as they would be', async () => {
        const manifest = configMap({ colour: 'red' });
        await apply(manifest);
        expect(await failureOf(apply(configMap({}, 'Not_A_Name'), { dryRun: true }))).toMatchObject({ status: 422, reason: 'Invalid' });
        const taking = apply({ ...manifest, data: { colour: 'blue' } }, { dryRun: true, fieldManager: 'another' });
        expect(await failureOf(taking)).toMatchObject({ status: 409, reason: 'Conflict' });
      });
    });

    describe('find and list', () => {
      test('find returns undefined for an object that does not exist', async () => {
        expect(await cluster.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: unique('never') })).toBeUndefined();
        expect(await cluster.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: unique('never'), name: 'one' })).toBeUndefined();
      });

      test('labels select, in one namespace or in all, over as many pages as it takes', async () => {
        const [run, elsewhere] = [unique('run'), await makeNamespace()];
        const make = (objectName: string, labels: Record<string, string>, where = namespace) =>
          apply(configMap({}, objectName, { namespace: where, labels: { run, ...labels } }));
        await Promise.all(['a', 'b', 'c', 'd'].map((letter) => make(`${run}-${letter}`, { tier: 'web' })));
        await make(`${run}-e`, { tier: 'db', solo: 'yes' });
        await make(`${run}-f`, { tier: 'web' }, elsewhere);
        const letters = async (labelSelector: string, where?: string) => {
          const found = await cluster.list(
            { apiVersion: 'v1', kind: 'ConfigMap' },
            { labelSelector, ...(where !== undefined && { namespace: where }) },
          );
          expect(found.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap')).toBe(true);
          return found
            .map((item) => item.metadata.name.at(-1))
            .sort()
            .join('');
        };
        expect(await letters(`run=${run}`)).toBe('abcdef');
        expect(await letters(`run=${run}`, namespace)).toBe('abcde');
        expect(await letters(`run=${run},tier=web`)).toBe('abcdf');
        expect(await letters(`run=${run},tier=web`, elsewhere)).toBe('f');
        expect(await letters(`run=${run},solo`)).toBe('e');
        expect(await letters(`run=${run},tier=db,solo=no`)).toBe('');
        expect(await letters(`run=${run}`, unique('never'))).toBe('');
      });
    });

    describe('delete', () => {
      test('delete removes an object that exists and returns gone for one that does not', async () => {
        const manifest = configMap({});
        await apply(manifest);
        expect(await cluster.delete(refOf(manifest))).toBe('deleted');
        expect(await cluster.find(refOf(manifest))).toBeUndefined();
        expect(await cluster.delete(refOf(manifest))).toBe('gone');
      });

      test('a finalizer holds an object until it is taken away', async () => {
        const manifest = configMap({}, undefined, { finalizers: ['brokkr.test/hold'] });
        await apply(manifest);
        expect(await cluster.delete(refOf(manifest))).toBe('deleting');
        expect(await cluster.delete(refOf(manifest))).toBe('deleting');
        expect((await cluster.find(refOf(manifest)))?.metadata.deletionTimestamp).toMatch(/^\d{4}-/);
        await apply(configMap({}, manifest.metadata.name));
        expect(await cluster.find(refOf(manifest))).toBeUndefined();
        expect(await cluster.delete(refOf(manifest))).toBe('gone');
      });

      test('only the object of the given uid is deleted', async () => {
        const manifest = configMap({});
        const { uid } = (await apply(manifest)).metadata;
        const error = await failureOf(cluster.delete(refOf(manifest), { uid: '00000000-0000-4000-8000-000000000000' }));
        expect(error).toMatchObject({ status: 409, reason: 'Conflict', retryable: false });
        expect(await cluster.find(refOf(manifest))).toBeDefined();
        expect(await cluster.delete(refOf(manifest), { uid })).toBe('deleted');
        expect(await cluster.delete(refOf(manifest), { uid })).toBe('gone');
      });

      test('a namespace goes with everything in it', async () => {
        const name = await makeNamespace();
        const [inside, itself] = [configMap({}, 'inside', { namespace: name }), { apiVersion: 'v1', kind: 'Namespace', name }];
        await apply(inside);
        expect(['deleted', 'deleting']).toContain(await cluster.delete(itself));
        await eventually(async () => (await cluster.find(itself)) === undefined);
        expect(await cluster.find(refOf(inside))).toBeUndefined();
        expect(await cluster.delete(itself)).toBe('gone');
      });
    });

    describe('ownership', () => clusterOwnershipContract(() => ({ cluster, namespace })));

    test('a custom resource: its kind appears with its definition, keeps fields nobody knows, and goes with it', async () => {
      const kind = `Widget${randomBytes(3).toString('hex')}`;
      const definition = customResourceDefinition(CONTRACT_GROUP, kind);
      const [ref, apiVersion] = [refOf(definition), `${CONTRACT_GROUP}/v1`];
      expect(await cluster.findKind(apiVersion, kind)).toBeUndefined();
      await apply(definition);
      leftovers.push(ref);
      await eventually(async () => isEstablished(await cluster.find(ref)));
      await eventually(async () => (await cluster.findKind(apiVersion, kind, { fresh: true })) !== undefined);
      const plural = `${kind.toLowerCase()}s`;
      expect(await cluster.findKind(apiVersion, kind)).toMatchObject({ apiVersion, kind, plural, namespaced: true });

      const widget: Manifest = {
        apiVersion,
        kind,
        metadata: { name: 'one', namespace },
        spec: { depth: { of: [{ a: 1 }, null, 'x'] }, n: 0 },
      };
      expect((await apply(widget)).spec).toEqual(widget.spec);
      expect((await cluster.find(refOf(widget)))?.spec).toEqual(widget.spec);
      expect(await cluster.list({ apiVersion, kind })).toMatchObject([widget]);

      expect(['deleted', 'deleting']).toContain(await cluster.delete(ref));
      await eventually(async () => (await cluster.find(ref)) === undefined);
      expect(await failureOf(cluster.find(refOf(widget)))).toMatchObject({ reason: UNSERVED });
    });

    test('an object of a version that is no longer served is found, listed and deleted in another one', async () => {
      const kind = `Widget${randomBytes(3).toString('hex')}`;
      const definition = (served: boolean) =>
        customResourceDefinition(CONTRACT_GROUP, kind, undefined, [
          { name: 'v1beta1', served, storage: false },
          { name: 'v1', served: true, storage: true },
        ]);
      leftovers.push(refOf(definition(true)));
      await apply(definition(true));
      const versions = async () =>
        (
          await Promise.all(['v1beta1', 'v1'].map((version) => cluster.findKind(`${CONTRACT_GROUP}/${version}`, kind, { fresh: true })))
        ).filter(Boolean).length;
      await eventually(async () => (await versions()) === 2);
      const old: Manifest = { apiVersion: `${CONTRACT_GROUP}/v1beta1`, kind, metadata: { name: 'one', namespace }, spec: { size: 1 } };
      await eventually(() =>
        apply(old).then(
          () => true,
          () => false,
        ),
      );
      await apply(definition(false));
      await eventually(async () => (await versions()) === 1);
      expect(await cluster.find(refOf(old))).toMatchObject({ apiVersion: `${CONTRACT_GROUP}/v1`, metadata: { name: 'one' } });
      expect(await cluster.list(old, { namespace })).toMatchObject([{ metadata: { name: 'one' } }]);
      expect(await failureOf(apply(old))).toMatchObject({ reason: UNSERVED });
      expect(await cluster.delete(refOf(old))).toBe('deleted');
      expect(await cluster.find(refOf(old))).toBeUndefined();
    });
  });
}
