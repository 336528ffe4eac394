import { beforeEach, describe, expect, test } from '@jest/globals';
import { apiKeyKey, organizationKey, projectKey } from '../../lib/identity/accounts/accounts-table.ts';
import { mintKey, type StoredApiKey } from '../../lib/identity/api-keys/api-key.ts';
import { createKeyAuthenticator, type KeyAuthenticator } from '../../lib/identity/api-keys/key-authenticator.ts';
import { organizationAtFirst } from '../../lib/identity/organizations/new-organization.ts';
import type { Database, Item, Key } from '../../lib/platform/database/database.ts';
import { AppError } from '../../lib/platform/errors.ts';

/** Two instances over one store, and a time that only the test moves. */
let nowMs = 0;
const clock = { nowMs: () => 1_800_000_000_000 + nowMs, monotonicMs: () => nowMs, sleep: async () => {} };
let items: Map<string, Item>;
let reads: number;
let isDown: boolean;
let a: KeyAuthenticator;
let b: KeyAuthenticator;

const place = ({ pk, sk }: Key) => `${pk} ${sk}`;
const put = (key: Key, value: object) => items.set(place(key), { ...key, ...value } as Item);
const database = {
  async get(_table: string, key: Key) {
    reads += 1;
    if (isDown) throw new AppError('unavailable', 'the store cannot be reached');
    return items.get(place(key));
  },
  async batchGet(_table: string, keys: readonly Key[]) {
    if (isDown) throw new AppError('unavailable', 'the store cannot be reached');
    return keys.flatMap((key) => items.get(place(key)) ?? []);
  },
} as Database;

const { organization, project } = organizationAtFirst({ name: 'Acme', slug: 'acme' }, '01ARZ3NDEKTSV4RRFFQ69G5FAV', clock.nowMs());
function storeKey(change: Partial<StoredApiKey> = {}, minted = mintKey()) {
  const stored: StoredApiKey = {
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    hash: minted.hash,
    name: 'key',
    key_preview: minted.preview,
    project_id: project.id,
    organization_id: organization.id,
    scopes: ['read:models', 'write:routing'],
    status: 'active',
    limits: {},
    ends_at_ms: null,
    last_used_at_ms: null,
    created_at: '2026-01-01T00:00:00.000Z',
    created_by: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    version: 1,
    ...change,
  };
  put(apiKeyKey(minted.hash), stored);
  return minted;
}
const ask = (instance: KeyAuthenticator, key: string) =>
  instance.authenticate({ headers: { 'x-api-key': key } }).then(
    () => 'ok',
    (error: AppError) => error.code,
  );

beforeEach(() => {
  nowMs = 0;
  reads = 0;
  isDown = false;
  items = new Map();
  put(projectKey(project.id), project);
  put(organizationKey(organization.id), organization);
  a = createKeyAuthenticator({ database, clock });
  b = createKeyAuthenticator({ database, clock });
});

describe('a key used on two instances', () => {
  const CHANGES: readonly [what: string, change: (minted: { key: string; hash: string; preview: string }) => void, code: string][] = [
    ['is revoked', (minted) => storeKey({ status: 'revoked' }, minted), 'API_KEY_REVOKED'],
    ['has a paused project', () => put(projectKey(project.id), { ...project, status: 'paused' }), 'PROJECT_INACTIVE'],
    ['has a removed project', () => items.delete(place(projectKey(project.id))), 'API_KEY_INVALID'],
    [
      'has a suspended organization',
      () => put(organizationKey(organization.id), { ...organization, status: 'suspended' }),
      'PROJECT_INACTIVE',
    ],
    ['has a removed organization', () => items.delete(place(organizationKey(organization.id))), 'API_KEY_INVALID'],
  ];
  test.each(CHANGES)('a key that %s is refused by the other instance within five seconds', async (_what, change, code) => {
    const minted = storeKey();
    expect([await ask(a, minted.key), await ask(b, minted.key)]).toEqual(['ok', 'ok']);
    change(minted);
    a.forget(minted.hash);
    expect(await ask(a, minted.key)).toBe(code);
    for (nowMs = 500; nowMs < 5_000; nowMs += 500) await ask(b, minted.key);
    nowMs = 5_000;
    expect(await ask(b, minted.key)).toBe(code);
  });

  test('an idle instance refuses a revoked key, too', async () => {
    const minted = storeKey();
    await ask(b, minted.key);
    storeKey({ status: 'revoked' }, minted);
    nowMs = 5_000;
    expect(await ask(b, minted.key)).toBe('API_KEY_REVOKED');
  });

  test('a scope that is taken away is gone within five seconds', async () => {
    const minted = storeKey();
    await ask(b, minted.key);
    storeKey({ scopes: ['read:models'] }, minted);
    nowMs = 5_000;
    expect((await b.authenticate({ headers: { 'x-api-key': minted.key } })).scopes).toEqual(['read:models']);
  });
});

test('while the store is unavailable a known key serves for less than five seconds, then the answer is 503', async () => {
  const { key } = storeKey();
  await ask(a, key);
  isDown = true;
  for (nowMs = 0; nowMs < 5_000; nowMs += 499) expect(await ask(a, key)).toBe('ok');
  nowMs = 5_000;
  expect(await ask(a, key)).toBe('unavailable');
});

test('a key that ends is refused from that millisecond on, without a read', async () => {
  const { key } = storeKey({ ends_at_ms: clock.nowMs() + 700 });
  nowMs = 699;
  expect(await ask(a, key)).toBe('ok');
  const before = reads;
  nowMs = 700;
  expect(await ask(a, key)).toBe('API_KEY_EXPIRED');
  expect(reads).toBe(before);
});

test('an unknown key that is asked for a thousand times costs one read, and another new key works on its first use', async () => {
  const minted = mintKey();
  for (let n = 0; n < 1_000; n++) expect(await ask(a, minted.key)).toBe('API_KEY_INVALID');
  expect(reads).toBe(1);
  expect(await ask(a, storeKey().key)).toBe('ok');
  storeKey({}, minted);
  nowMs = 1_000;
  expect(await ask(a, minted.key)).toBe('ok');
});

test('a text that can’t be a key costs no read', async () => {
  for (const text of ['x', 'bk_', `bk_${'a'.repeat(39)}`, `bk_${'a'.repeat(41)}`, `sk_${'a'.repeat(40)}`, `bk_${'é'.repeat(40)}`])
    expect(await ask(a, text)).toBe('API_KEY_INVALID');
  expect(reads).toBe(0);
});

test('a read that began before a revocation in this process is not kept', async () => {
  const minted = storeKey();
  const early = ask(a, minted.key);
  storeKey({ status: 'revoked' }, minted);
  a.forget(minted.hash);
  await early;
  expect(await ask(a, minted.key)).toBe('API_KEY_REVOKED');
});

test('a key’s own limit counts if it is lower than the plan’s', async () => {
  const limits = async (change: Partial<StoredApiKey>) => {
    const { key } = storeKey(change);
    const { requests_per_minute, tokens_per_minute } = await a.authenticate({ headers: { authorization: `Bearer ${key}` } });
    return [requests_per_minute, tokens_per_minute];
  };
  expect(await limits({})).toEqual([100, null]);
  expect(await limits({ limits: { requests_per_minute: 7, tokens_per_minute: 900 } })).toEqual([7, 900]);
  expect(await limits({ limits: { requests_per_minute: 5_000 } })).toEqual([100, null]);
});
