import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sealingKeyFile } from '../../../infra/host/sealing-key-file.ts';
import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { kmsKeys } from '../../../lib/platform/sealing/kms-keys.ts';
import { keyFile, localKeys, newKeyLine } from '../../../lib/platform/sealing/local-keys.ts';
import { createSealing } from '../../../lib/platform/sealing/sealing.ts';

const SECRET = 'sk-ant-0123456789 with ümlauts';
const OWNER = 'organization 1 | provider openai';
const broken = expect.objectContaining({ name: 'SealBroken' });

describe('secrets under a local key', () => {
  const sealing = createSealing(localKeys([newKeyLine()]));

  test('a sealed text opens for its owner, shows nothing of the secret, and is different each time', async () => {
    const [one, other] = [await sealing.seal(SECRET, OWNER), await sealing.seal(SECRET, OWNER)];
    expect(await sealing.open(one, OWNER)).toBe(SECRET);
    expect(await sealing.open(await sealing.seal('', OWNER), OWNER)).toBe('');
    expect(one).toMatch(/^s1\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(one).not.toBe(other);
  });

  test('a sealed text with any one character changed, left out or added does not open', async () => {
    const sealed = await sealing.seal('k', OWNER);
    const changed = [...sealed].flatMap((character, at) => {
      const before = sealed.slice(0, at);
      const after = sealed.slice(at + 1);
      return [before + (character === 'A' ? 'B' : 'A') + after, before + after, `${before}${character}=${after}`];
    });
    for (const text of [...changed, '', 'plain text', `${sealed}.x`]) await expect(sealing.open(text, OWNER)).rejects.toEqual(broken);
  });

  test('a sealed text does not open for another owner, nor with another key', async () => {
    const sealed = await sealing.seal(SECRET, OWNER);
    await expect(sealing.open(sealed, 'organization 2 | provider openai')).rejects.toEqual(broken);
    await expect(createSealing(localKeys([newKeyLine()])).open(sealed, OWNER)).rejects.toEqual(broken);
  });

  test('a key that was replaced still opens what it has sealed', async () => {
    const [old, fresh] = [newKeyLine(), newKeyLine()];
    const sealed = await createSealing(localKeys([old])).seal(SECRET, OWNER);
    const both = createSealing(localKeys([fresh, old]));
    expect(await both.open(sealed, OWNER)).toBe(SECRET);
    await expect(createSealing(localKeys([old])).open(await both.seal(SECRET, OWNER), OWNER)).rejects.toEqual(broken);
  });

  test('a host makes a key file that only its user may read, once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealing-'));
    const path = await sealingKeyFile(folder);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const sealed = await createSealing(keyFile(path)).seal(SECRET, OWNER);
    expect(await createSealing(keyFile(await sealingKeyFile(folder))).open(sealed, OWNER)).toBe(SECRET);
    for (const content of ['', 'short\n']) {
      await writeFile(path, content);
      await expect(createSealing(keyFile(path)).seal(SECRET, OWNER)).rejects.toThrow(`the key file ${path} cannot be used`);
    }
    await rm(folder, { recursive: true });
  });
});

describe('secrets under a key in KMS', () => {
  let server: Server;
  let endpoint = '';
  const asked: string[] = [];
  let failing = false;
  let passedMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => passedMs };
  const dataKeys = new Map<string, string>();

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += piece;
      const input = JSON.parse(text);
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      asked.push(operation);
      const send = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      expect(input).toMatchObject({ KeyId: 'alias/test', EncryptionContext: { purpose: 'brokkr-sealing' } });
      if (failing) return send(400, { __type: 'AccessDeniedException', message: 'no' });
      if (operation === 'GenerateDataKey') {
        const Plaintext = Buffer.alloc(32, dataKeys.size + 1).toString('base64');
        const CiphertextBlob = Buffer.from(`data key ${dataKeys.size + 1}`).toString('base64');
        dataKeys.set(CiphertextBlob, Plaintext);
        return send(200, { Plaintext, CiphertextBlob, KeyId: 'key' });
      }
      const Plaintext = dataKeys.get(input.CiphertextBlob);
      return Plaintext ? send(200, { Plaintext, KeyId: 'key' }) : send(400, { __type: 'InvalidCiphertextException' });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const instance = () => createSealing(kmsKeys({ keyId: 'alias/test', clock, endpoint }));
  const during = async (act: () => Promise<unknown>) => {
    asked.length = 0;
    await act();
    return [...asked];
  };

  test('many texts need one data key, which another instance asks KMS to decrypt once', async () => {
    const one = instance();
    const sealed: string[] = [];
    const sealAll = async () => sealed.push(...(await Promise.all([1, 2, 3].map((n) => one.seal(`secret ${n}`, OWNER)))));
    expect(await during(sealAll)).toEqual(['GenerateDataKey']);
    const other = instance();
    const openAll = () => Promise.all(sealed.map((text) => other.open(text, OWNER)));
    expect(await during(openAll)).toEqual(['Decrypt']);
    expect(await during(openAll)).toEqual([]);
    expect(await openAll()).toEqual(['secret 1', 'secret 2', 'secret 3']);
    expect(await during(() => one.open(sealed[0] ?? '', OWNER))).toEqual([]);
  });

  test('a data key is forgotten after an hour', async () => {
    const one = instance();
    const sealed = await one.seal(SECRET, OWNER);
    passedMs += 3_600_000;
    expect(await during(() => one.open(sealed, OWNER))).toEqual(['Decrypt']);
    expect(await during(() => one.seal(SECRET, OWNER))).toEqual(['GenerateDataKey']);
  });

  test('a failure of KMS is a service that is not available, and the next call asks again', async () => {
    const sealed = await instance().seal(SECRET, OWNER);
    const other = instance();
    failing = true;
    for (const act of [() => other.open(sealed, OWNER), () => other.seal(SECRET, OWNER)])
      await expect(act()).rejects.toMatchObject({ kind: 'unavailable' });
    failing = false;
    expect(await other.open(sealed, OWNER)).toBe(SECRET);
    expect(await other.open(await other.seal(SECRET, OWNER), OWNER)).toBe(SECRET);
  });

  test('a text with a data key that is not ours does not open', async () => {
    const [version, , ...rest] = (await instance().seal(SECRET, OWNER)).split('.');
    for (const name of [`k-${Buffer.from('foreign').toString('base64url')}`, 'l-abc'])
      await expect(instance().open([version, name, ...rest].join('.'), OWNER)).rejects.toEqual(broken);
  });
});
