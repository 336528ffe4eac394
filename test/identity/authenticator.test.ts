import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Authenticator, createAuthenticator, REMEMBERED_KEYS } from '../../lib/identity/authenticator.ts';
import type { Credential } from '../../lib/identity/credentials.ts';
import { credentialKey } from '../../lib/identity/identity-table.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import type { Database, Item, Key } from '../../lib/platform/database/database.ts';
import { silentLog } from '../../lib/platform/log.ts';
import { clockAt, type TestClock } from '../fleet/test-clock.ts';

/** The stored credentials, the agents' records, and the reads of both. */
let credentials: Map<string, Credential>;
let agents: Map<string, { revision: string; status: string; credential_version: number }>;
let reads: string[];
let refusals: string[];
let clock: TestClock;
let authenticator: Authenticator;

const ADMIN = mintPak();
const KEY = mintPak();
const OTHER = mintPak();

beforeEach(() => {
  credentials = new Map();
  agents = new Map();
  [reads, refusals] = [[], []];
  clock = clockAt('2026-03-01T12:00:00.000Z');
  authenticator = createAuthenticator({
    database: { get } as Pick<Database, 'get'> as Database,
    clock,
    adminHashes: [ADMIN.hash],
    async findAgent(id) {
      reads.push(`agent ${id}`);
      return agents.get(id);
    },
    onRefused: async ({ path }) => void refusals.push(path),
  });
});
async function get(_table: string, key: Key): Promise<Item | undefined> {
  reads.push('credential');
  const found = credentials.get(key.pk.slice(credentialKey('').pk.length));
  return found && { ...key, ...found };
}

const grant = (hash: string, principal_type: Credential['principal_type'], principal_id: string, credential_version = 1) =>
  credentials.set(hash, { principal_type, principal_id, credential_version });
const agentRecord = (credential_version = 1) => ({ revision: 'seven', status: 'ACTIVE', credential_version });
const authenticate = (authorization: string | undefined) =>
  authenticator.authenticate({
    requestId: 'r',
    method: 'GET',
    path: '/api/v1/agents',
    headers: { authorization },
    ip: undefined,
    secure: false,
    userAgent: undefined,
    log: silentLog,
    signal: new AbortController().signal,
    answerHeaders: {},
    noted: {},
  });
const refused = { kind: 'unauthenticated' };

test('a key identifies its principal in either form of the header', async () => {
  grant(KEY.hash, 'generator', 'g');
  for (const form of [KEY.pak, `Bearer ${KEY.pak}`, `bearer ${KEY.pak}`]) {
    await expect(authenticate(form)).resolves.toEqual({ type: 'generator', id: 'g' });
  }
});

test("an agent's record is read at each call and returned with its principal", async () => {
  grant(KEY.hash, 'agent', 'a');
  agents.set('a', agentRecord());
  await expect(authenticate(KEY.pak)).resolves.toEqual({ type: 'agent', id: 'a', item: agentRecord() });
  agents.set('a', { ...agentRecord(), revision: 'eight' });
  await expect(authenticate(KEY.pak)).resolves.toMatchObject({ item: { revision: 'eight' } });
  expect(reads).toEqual(['credential', 'agent a', 'agent a']);
});

describe('a configured admin key', () => {
  test('a configured admin key is accepted without a read', async () => {
    await expect(authenticate(ADMIN.pak)).resolves.toEqual({ type: 'admin' });
    expect(reads).toEqual([]);
  });
  test('a configured admin key is an admin key even if the store has it for another principal', async () => {
    grant(ADMIN.hash, 'generator', 'g');
    await expect(authenticate(ADMIN.pak)).resolves.toEqual({ type: 'admin' });
  });
});

describe('an admin key of the store', () => {
  test('an admin key of the store is accepted', async () => {
    grant(KEY.hash, 'admin', 'admin');
    await expect(authenticate(KEY.pak)).resolves.toEqual({ type: 'admin' });
  });
  test('an admin key of the store is refused five seconds after another process replaced it', async () => {
    grant(KEY.hash, 'admin', 'admin');
    await authenticate(KEY.pak);
    credentials.delete(KEY.hash);
    clock.pass(5_000);
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
});

describe("a generator's key that was revoked", () => {
  beforeEach(async () => {
    grant(KEY.hash, 'generator', 'g');
    await authenticate(KEY.pak);
    credentials.delete(KEY.hash);
  });
  test("a generator's key is refused at once after this process revoked it", async () => {
    authenticator.forget('g');
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test("a generator's key is refused five seconds after another process revoked it", async () => {
    clock.pass(4_999);
    await expect(authenticate(KEY.pak)).resolves.toMatchObject({ id: 'g' });
    clock.pass(1);
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test("a revoked generator's key does not live longer if it is used", async () => {
    for (let n = 0; n < 10; n++) {
      clock.pass(499);
      await authenticate(KEY.pak);
    }
    clock.pass(10);
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test("the revocation of one generator's key leaves other keys in the cache", async () => {
    grant(OTHER.hash, 'generator', 'other');
    await authenticate(OTHER.pak);
    reads = [];
    authenticator.forget('g');
    await authenticate(OTHER.pak);
    expect(reads).toEqual([]);
  });
});

describe("an agent's key", () => {
  beforeEach(async () => {
    grant(KEY.hash, 'agent', 'a');
    agents.set('a', agentRecord());
    await authenticate(KEY.pak);
  });
  test("an agent's key is refused at once after another process rotated it", async () => {
    agents.set('a', agentRecord(2));
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
    grant(OTHER.hash, 'agent', 'a', 2);
    await expect(authenticate(OTHER.pak)).resolves.toMatchObject({ type: 'agent', id: 'a' });
  });
  test("an agent's key is refused at once after another process deleted the agent", async () => {
    agents.delete('a');
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test("an agent's key is looked up once in ten minutes", async () => {
    for (let n = 0; n < 10; n++) {
      clock.pass(59_000);
      await authenticate(KEY.pak);
    }
    expect(reads.filter((read) => read === 'credential')).toHaveLength(1);
    clock.pass(11_000);
    await authenticate(KEY.pak);
    expect(reads.filter((read) => read === 'credential')).toHaveLength(2);
  });
});

describe('a refusal', () => {
  test('a malformed key is refused without a read, and onRefused is called', async () => {
    await expect(authenticate('garbage')).rejects.toMatchObject(refused);
    expect([reads, refusals]).toEqual([[], ['/api/v1/agents']]);
  });
  test('an unknown key is refused and onRefused is called, but the key works as soon as it is granted', async () => {
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
    expect(refusals).toEqual(['/api/v1/agents']);
    grant(KEY.hash, 'generator', 'g');
    await expect(authenticate(KEY.pak)).resolves.toMatchObject({ id: 'g' });
  });
  test('a missing key is refused without a call of onRefused', async () => {
    for (const header of [undefined, '', '  ']) await expect(authenticate(header)).rejects.toMatchObject(refused);
    expect(refusals).toEqual([]);
  });
});

test('one key more than the cache holds costs a few reads a round, not a read for every key', async () => {
  const minted = Array.from({ length: REMEMBERED_KEYS + 1 }, () => mintPak());
  for (const [n, { hash }] of minted.entries()) grant(hash, 'generator', String(n));
  for (const { pak } of minted) await authenticate(pak);
  reads = [];
  for (const { pak } of minted) await authenticate(pak);
  expect(reads.length).toBeLessThan(REMEMBERED_KEYS / 100);
}, 30_000);
