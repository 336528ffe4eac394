import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Authenticator, createAuthenticator, REMEMBERED_KEYS } from '../../lib/identity/authenticator.ts';
import type { Credential } from '../../lib/identity/credentials.ts';
import { credentialKey } from '../../lib/identity/identity-table.ts';
import { mintPak } from '../../lib/identity/pak.ts';
import type { Database, Item, Key } from '../../lib/platform/database/database.ts';
import { silentLog } from '../../lib/platform/log.ts';
import { clockAt, type TestClock } from '../fleet/test-clock.ts';

/** A store of credentials, the agents' records beside it, and what was read of either. */
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
  });
const refused = { kind: 'unauthenticated' };

test('a key is whose it is, in either form of the header', async () => {
  grant(KEY.hash, 'generator', 'g');
  for (const form of [KEY.pak, `Bearer ${KEY.pak}`, `bearer ${KEY.pak}`]) {
    await expect(authenticate(form)).resolves.toEqual({ type: 'generator', id: 'g' });
  }
});

test('an agent brings its record along, read at each call and never remembered', async () => {
  grant(KEY.hash, 'agent', 'a');
  agents.set('a', agentRecord());
  await expect(authenticate(KEY.pak)).resolves.toEqual({ type: 'agent', id: 'a', item: agentRecord() });
  agents.set('a', { ...agentRecord(), revision: 'eight' });
  await expect(authenticate(KEY.pak)).resolves.toMatchObject({ item: { revision: 'eight' } });
  expect(reads).toEqual(['credential', 'agent a', 'agent a']);
});

describe('what is configured as an admin key', () => {
  test('is one, without asking the store', async () => {
    await expect(authenticate(ADMIN.pak)).resolves.toEqual({ type: 'admin' });
    expect(reads).toEqual([]);
  });
  test('comes before what the store says of it', async () => {
    grant(ADMIN.hash, 'generator', 'g');
    await expect(authenticate(ADMIN.pak)).resolves.toEqual({ type: 'admin' });
  });
});

describe('an admin key of the store', () => {
  test('is one', async () => {
    grant(KEY.hash, 'admin', 'admin');
    await expect(authenticate(KEY.pak)).resolves.toEqual({ type: 'admin' });
  });
  test('opens nothing five seconds after it was replaced elsewhere', async () => {
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
  test('in this process opens nothing from that moment on', async () => {
    authenticator.forget('g');
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test('elsewhere opens nothing after five seconds', async () => {
    clock.pass(4_999);
    await expect(authenticate(KEY.pak)).resolves.toMatchObject({ id: 'g' });
    clock.pass(1);
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test('does not live longer by being used', async () => {
    for (let n = 0; n < 10; n++) {
      clock.pass(499);
      await authenticate(KEY.pak);
    }
    clock.pass(10);
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test('takes nobody else along', async () => {
    grant(OTHER.hash, 'generator', 'other');
    await authenticate(OTHER.pak);
    reads = [];
    authenticator.forget('g');
    await authenticate(OTHER.pak);
    expect(reads).toEqual([]);
  });
});

describe("an agent's key ends everywhere at once", () => {
  beforeEach(async () => {
    grant(KEY.hash, 'agent', 'a');
    agents.set('a', agentRecord());
    await authenticate(KEY.pak);
  });
  test('when it is rotated by another process', async () => {
    agents.set('a', agentRecord(2));
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
    grant(OTHER.hash, 'agent', 'a', 2);
    await expect(authenticate(OTHER.pak)).resolves.toMatchObject({ type: 'agent', id: 'a' });
  });
  test('when the agent is deleted by another process', async () => {
    agents.delete('a');
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
  });
  test('and is looked up once in ten minutes while it lives', async () => {
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
  test('of a malformed key costs no read, and is told of', async () => {
    await expect(authenticate('garbage')).rejects.toMatchObject(refused);
    expect([reads, refusals]).toEqual([[], ['/api/v1/agents']]);
  });
  test('of an unknown key is told of, and remembered by nobody: the key may be granted the next moment', async () => {
    await expect(authenticate(KEY.pak)).rejects.toMatchObject(refused);
    expect(refusals).toEqual(['/api/v1/agents']);
    grant(KEY.hash, 'generator', 'g');
    await expect(authenticate(KEY.pak)).resolves.toMatchObject({ id: 'g' });
  });
  test('of no key at all is told of to nobody', async () => {
    for (const header of [undefined, '', '  ']) await expect(authenticate(header)).rejects.toMatchObject(refused);
    expect(refusals).toEqual([]);
  });
});

test('one key more than can be remembered costs a few reads a round, not a read for every key', async () => {
  const minted = Array.from({ length: REMEMBERED_KEYS + 1 }, () => mintPak());
  for (const [n, { hash }] of minted.entries()) grant(hash, 'generator', String(n));
  for (const { pak } of minted) await authenticate(pak);
  reads = [];
  for (const { pak } of minted) await authenticate(pak);
  expect(reads.length).toBeLessThan(REMEMBERED_KEYS / 100);
}, 30_000);
