import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DEVELOPMENT_PAK_HASH, mintPak } from '../../lib/identity/pak.ts';
import { auditPks, refusalPks, telemetryTable } from '../../lib/identity/telemetry-table.ts';
import type { Api } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

const PUBLIC_PAK = 'brokkr_BR3rVsDa_GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8';
let host: TestHost;
afterEach(() => host.stop());

const whose = (pak: string | undefined, api: Api = host.anonymous) => api.as(pak).post('/auth/pak');
const ADMIN = { status: 200, body: { admin: true, agent: null, generator: null, readonly: false } };
const gauge = async () => /^brokkr_default_admin_pak_hash_in_use (\d)$/m.exec((await host.root.get('/metrics')).text)?.[1];

test('the first start mints an admin key, and the public key is refused', async () => {
  host = await startTestHost();
  expect(host.adminPak).toMatch(/^brokkr_BR/);
  expect(await whose(host.adminPak)).toMatchObject(ADMIN);
  expect(await whose(PUBLIC_PAK)).toMatchObject({ status: 401, text: '' });
  expect(await gauge()).toBe('0');
});

test('a later start mints no admin key, and the first key still works', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'brokkr-keys-'));
  try {
    host = await startTestHost({ dataDir });
    const { adminPak } = host;
    await host.stop();
    host = await startTestHost({ dataDir });
    expect(host.adminPak).toBe('');
    expect(await whose(adminPak)).toMatchObject(ADMIN);
  } finally {
    await host.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});

describe('a configured admin key', () => {
  test('a configured admin key works from the first start, and no other one is minted', async () => {
    const { pak, hash } = mintPak();
    host = await startTestHost({ config: { BROKKR_ADMIN_PAK_HASH: hash } });
    expect(host.adminPak).toBe('');
    expect(await whose(pak)).toMatchObject(ADMIN);
    expect(await whose(`Bearer ${pak}`)).toMatchObject(ADMIN);
    expect(await whose(mintPak().pak)).toMatchObject({ status: 401 });
  });

  test('a configured admin key and the public one both work under BROKKR_DEV', async () => {
    const { pak, hash } = mintPak();
    host = await startTestHost({ config: { BROKKR_ADMIN_PAK_HASH: hash, BROKKR_DEV: '1' } });
    expect(host.adminPak).toBe('');
    for (const key of [pak, PUBLIC_PAK]) expect(await whose(key)).toMatchObject(ADMIN);
  });

  test('the configured admin key may be the public one only under BROKKR_DEV', async () => {
    const config = { BROKKR_ADMIN_PAK_HASH: DEVELOPMENT_PAK_HASH };
    await expect(startTestHost({ config })).rejects.toThrow(/BROKKR_ADMIN_PAK_HASH: .*public.*BROKKR_DEV/);
    host = await startTestHost({ config: { ...config, BROKKR_DEV: '1' } });
    expect(await whose(PUBLIC_PAK)).toMatchObject(ADMIN);
    expect(await gauge()).toBe('1');
  });
});

test('the public development key works only under BROKKR_DEV, with a warning and a gauge', async () => {
  host = await startTestHost({ config: { BROKKR_DEV: '1' } });
  expect(await whose(PUBLIC_PAK)).toMatchObject(ADMIN);
  expect(await gauge()).toBe('1');
  expect(host.logged.filter((line) => line.includes('development_key_accepted') && line.includes('"warn"'))).toHaveLength(1);
  expect(host.logged.join()).not.toContain('GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8');
});

test('the first start under BROKKR_DEV mints an admin key too, which works without BROKKR_DEV', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'brokkr-keys-'));
  try {
    host = await startTestHost({ dataDir, config: { BROKKR_DEV: '1' } });
    const { adminPak } = host;
    expect(await whose(adminPak)).toMatchObject(ADMIN);
    await host.stop();
    host = await startTestHost({ dataDir });
    expect(await whose(adminPak)).toMatchObject(ADMIN);
    expect(await whose(PUBLIC_PAK)).toMatchObject({ status: 401 });
  } finally {
    await host.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});

describe('the audit of refused keys', () => {
  const failures = async () => {
    const { body } = await host.admin.get('/admin/audit-logs?action=auth.failed');
    return body.logs;
  };
  /** Waits for audit entries of refusals. */
  async function failure(count = 1) {
    for (const deadline = performance.now() + 5_000; performance.now() < deadline; ) {
      const found = await failures();
      if (found.length >= count) return found;
    }
    return failures();
  }

  test('the audit entry of a refused key has the path, the address and the reason, but not the key', async () => {
    host = await startTestHost();
    const { pak } = mintPak();
    await host.anonymous.as(pak).get('/agents?name=x', { headers: { 'user-agent': 'stranger/1.0' } });
    const [entry] = await failure();
    expect(entry).toMatchObject({
      action: 'auth.failed',
      actor_type: 'system',
      actor_id: null,
      resource_type: 'system',
      resource_id: null,
      details: { reason: 'invalid_pak', path: '/agents' },
      user_agent: 'stranger/1.0',
      ip_address: '127.0.0.1',
    });
    expect(JSON.stringify(entry)).not.toContain(pak.split('_')[2]);
  });

  test('a malformed key is audited, and a missing one is not', async () => {
    host = await startTestHost();
    await host.anonymous.get('/agents');
    await host.anonymous.as('garbage').delete('/stacks/x');
    const found = await failure();
    expect(found).toMatchObject([{ details: { reason: 'invalid_pak', path: '/stacks/x' } }]);
  });

  test('the audit entry of a refused key has at most 256 bytes of path and user agent, in partitions of its own', async () => {
    host = await startTestHost();
    await host.anonymous.as('garbage').get(`/agents/${'x'.repeat(7_000)}`, { headers: { 'user-agent': 'a'.repeat(2_000) } });
    const [entry] = await failure();
    expect(entry.details.path).toBe(`/agents/${'x'.repeat(256 - '/agents/'.length)}`);
    expect(entry.user_agent).toHaveLength(256);
    const { database } = host.app.services;
    const stored = (await Promise.all(refusalPks.map((pk) => database.query(telemetryTable.name, { pk })))).flatMap(({ items }) => items);
    expect(stored).toMatchObject([{ id: entry.id }]);
    expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThan(1_024);
    const others = await Promise.all(auditPks.map((pk) => database.query(telemetryTable.name, { pk, prefix: entry.timestamp })));
    expect(others.flatMap(({ items }) => items)).toEqual([]);
  });
});
