import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KubernetesAccess, kubernetesAccess } from '../../agent/cluster/kubernetes/kubernetes-access.ts';

describe('access to the API server', () => {
  let folder: string;
  let nowMs: number;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} };
  const environment = { ...process.env };

  beforeEach(async () => {
    nowMs = 0;
    folder = await mkdtemp(join(tmpdir(), 'brokkr-access-'));
  });
  afterEach(async () => {
    process.env = { ...environment };
    await rm(folder, { recursive: true });
  });

  async function accessOf(user: object, cluster: object = {}): Promise<{ read(): Promise<KubernetesAccess>; path: string }> {
    const path = join(folder, 'kubeconfig');
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: 'https://api.brokkr.test:6443/k8s/one', ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path, JSON.stringify(kubeconfig));
    const source = kubernetesAccess({ kubeconfigPath: path, clock });
    return { path, read: () => source.current() };
  }

  test('a pod is its ServiceAccount, and a refused token is read again from its file', async () => {
    process.env.KUBERNETES_SERVICE_HOST = 'fd00::1';
    process.env.KUBERNETES_SERVICE_PORT = '443';
    const secrets = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
    await mkdir(secrets, { recursive: true });
    await writeFile(join(secrets, 'ca.crt'), 'the authority');
    await writeFile(join(secrets, 'token'), 'first\n');
    const source = kubernetesAccess({ inCluster: true, serviceAccountRoot: folder, clock });
    expect(await source.current()).toMatchObject({
      server: 'https://[fd00::1]:443',
      headers: { Authorization: 'Bearer first' },
      tls: { rejectUnauthorized: true, ca: Buffer.from('the authority') },
    });
    await writeFile(join(secrets, 'token'), 'second\n');
    expect(await source.refresh()).toMatchObject({ headers: { Authorization: 'Bearer second' } });
    expect(await source.current()).toMatchObject({ headers: { Authorization: 'Bearer second' } });
  });

  test('many refused together read anew once', async () => {
    const { path } = await accessOf({ token: 'first' });
    const source = kubernetesAccess({ kubeconfigPath: path, clock });
    const reads = await Promise.all([source.refresh(), source.refresh(), source.refresh()]);
    expect(new Set(reads).size).toBe(1);
    nowMs += 5_000;
    expect(await source.refresh()).not.toBe(reads[0]);
  });

  test.each([
    ['a token', { token: 't' }, { Authorization: 'Bearer t' }],
    ['a name and a password', { username: 'u', password: 'p' }, { Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` }],
    ['someone else', { token: 't', as: 'other' }, { Authorization: 'Bearer t', 'Impersonate-User': 'other' }],
    ['nobody', {}, {}],
  ])('as %s', async (_who, user, headers) => {
    expect((await (await accessOf(user)).read()).headers).toEqual(headers);
  });

  test('a client certificate that is replaced on disk replaces the connections', async () => {
    await writeFile(join(folder, 'cert.pem'), 'first');
    const { read } = await accessOf({ 'client-certificate': 'cert.pem', 'client-key-data': Buffer.from('key').toString('base64') });
    const first = await read();
    expect(first.tls).toMatchObject({ cert: Buffer.from('first'), key: Buffer.from('key') });
    await writeFile(join(folder, 'cert.pem'), 'second');
    expect((await read()).connectionKey).toBe(first.connectionKey);
    nowMs += 30_000;
    const second = await read();
    expect(second.tls.cert).toEqual(Buffer.from('second'));
    expect(second.connectionKey).not.toBe(first.connectionKey);
  });

  test('another token does not replace the connections', async () => {
    const first = await (await accessOf({ token: 'a' })).read();
    expect((await (await accessOf({ token: 'b' })).read()).connectionKey).toBe(first.connectionKey);
  });

  test('the server is verified, whatever the environment says, unless the kubeconfig says not to', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const verified = { rejectUnauthorized: true, servername: 'kubernetes' };
    expect((await (await accessOf({}, { 'tls-server-name': 'kubernetes' })).read()).tls).toEqual(verified);
    expect((await (await accessOf({}, { 'insecure-skip-tls-verify': true })).read()).tls).toEqual({ rejectUnauthorized: false });
  });

  test('no token crosses a network in the clear', async () => {
    const { read } = await accessOf({ token: 't' }, { server: 'http://api.brokkr.test' });
    await expect(read()).rejects.toMatchObject({ status: 0, reason: 'NoCredentials' });
  });

  test('several files are merged: the first value of each name counts, and missing files are skipped', async () => {
    await writeFile(join(folder, 'token'), 'from a file\n');
    const files = {
      user: { users: [{ name: 'u', user: { tokenFile: 'token' } }] },
      first: {
        clusters: [{ name: 'c', cluster: { server: 'https://first.test' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      },
      second: {
        clusters: [{ name: 'c', cluster: { server: 'https://second.test' } }],
        contexts: [{ name: 'y', context: { cluster: 'c', user: 'nobody' } }],
        'current-context': 'y',
      },
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(text));
    const list = ['', 'missing', 'user', 'first', 'second'].map((name) => name && join(folder, name)).join(delimiter);
    expect(await kubernetesAccess({ kubeconfigPath: list, clock }).current()).toMatchObject({
      server: 'https://first.test',
      headers: { Authorization: 'Bearer from a file' },
    });
  });

  test('a kubeconfig that was missing is looked for again', async () => {
    const { read, path } = await accessOf({ token: 't' });
    await rm(path);
    await expect(read()).rejects.toThrow('no access to the cluster: ENOENT');
    await accessOf({ token: 't' });
    expect(await read()).toMatchObject({ headers: { Authorization: 'Bearer t' } });
  });
});
