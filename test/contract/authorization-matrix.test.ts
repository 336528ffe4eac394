import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeAgent, makeGenerator, makeTenant, ok, type Tenant } from '../fleet/fleet-builder.ts';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { expectations } from './authorization-expectations.ts';
import { call, endpoints, guarded, isDestructive, pathOf, requestOf, titleOf } from './endpoint-calls.ts';

let host: TestHost;
let tenants: { a: Tenant; b: Tenant };
/** Authorization headers that open nothing. */
let dead: Record<string, string | undefined>;

beforeAll(async () => {
  host = await startTestHost();
  tenants = await makeTenants();
  dead = await deadKeys();
});
afterAll(() => host.stop());

async function makeTenants() {
  const [a, b] = await Promise.all([makeTenant(host), makeTenant(host)]);
  return { a, b };
}
const freshWorldFor = async (caller: CallerName) => (caller.endsWith('B') ? makeTenants() : { a: await makeTenant(host), b: tenants.b });

async function deadKeys() {
  const [rotatedAgent, deletedAgent, rotatedGenerator, deletedGenerator] = [
    await makeAgent(host),
    await makeAgent(host),
    await makeGenerator(host),
    await makeGenerator(host),
  ];
  await ok(host.admin.post(`/agents/${rotatedAgent.id}/rotate-pak`));
  await ok(host.admin.delete(`/agents/${deletedAgent.id}`));
  await ok(host.admin.post(`/generators/${rotatedGenerator.id}/rotate-pak`));
  await ok(host.admin.delete(`/generators/${deletedGenerator.id}`));
  return {
    'no key': undefined,
    'an empty key': '',
    'Bearer without a key': 'Bearer ',
    garbage: 'garbage',
    'a key nobody was given': 'brokkr_BRabcdef_1111111111111111111111111111111111',
    'another scheme': `Basic ${host.adminPak}`,
    'two keys': `${host.adminPak}, ${host.adminPak}`,
    'a rotated agent key': rotatedAgent.pak,
    "a deleted agent's key": deletedAgent.pak,
    'a rotated generator key': `Bearer ${rotatedGenerator.pak}`,
    "a deleted generator's key": deletedGenerator.pak,
  };
}

const CALLERS = ['admin', 'agent A', 'agent B', 'generator A', 'generator B'] as const;
type CallerName = (typeof CALLERS)[number];
const keyOf = (caller: CallerName, { a, b }: typeof tenants): string =>
  ({
    admin: host.adminPak,
    'agent A': a.agent.pak,
    'agent B': b.agent.pak,
    'generator A': a.generator.pak,
    'generator B': b.generator.pak,
  })[caller];
/** Whose things a caller must not learn of. */
const strangersTo = (caller: CallerName, { a, b }: typeof tenants): Tenant[] =>
  caller === 'admin' ? [] : caller.endsWith('A') ? [b] : [a];

/** What an answer tells of others, beyond what the caller has said itself. */
function leaks({ text, headers }: Answer, strangers: readonly Tenant[], said: unknown): string[] {
  const told = `${text} ${JSON.stringify(headers)}`;
  return strangers.flatMap(({ secrets }) => secrets).filter((secret) => told.includes(secret) && !JSON.stringify(said).includes(secret));
}

test('every endpoint stands in the table of expectations, and nothing else does', () => {
  expect(Object.keys(expectations).sort()).toEqual(endpoints.map(({ id }) => id).sort());
  const open = endpoints.filter(({ access }) => access === 'public').map(({ id }) => id);
  expect(open.filter((id) => expectations[id] !== 'public')).toEqual([]);
  expect(guarded.filter(({ endpoint }) => endpoint.access === 'public')).toEqual([]);
});

describe('a caller without a live key gets an empty 401, and nothing else:', () => {
  test.each(guarded.map((one) => [titleOf(one), one] as const))('%s', async (_title, one) => {
    const answers = Object.entries(dead).map(async ([name, authorization]) => {
      const { status, text } = await call(one, host.root, tenants.a, { headers: { authorization } });
      return { name, status, text };
    });
    expect(await Promise.all(answers)).toEqual(Object.keys(dead).map((name) => ({ name, status: 401, text: '' })));
  });
});

describe("each caller is answered by the endpoint's rule and never sees another tenant's ids:", () => {
  test.each(guarded.map((one) => [titleOf(one), one] as const))('%s', async (_title, one) => {
    const answered: Record<string, number> = {};
    const leaked: Record<string, string[]> = {};
    for (const [at, caller] of CALLERS.entries()) {
      const expected = one.expectation.statuses[at] ?? 0;
      const world = expected < 300 && isDestructive(one) ? await freshWorldFor(caller) : tenants;
      const answer = await call(one, host.root.as(keyOf(caller, world)), world.a);
      answered[caller] = answer.status;
      leaked[caller] = leaks(answer, strangersTo(caller, world), requestOf(one, world.a));
      expect(answer.text === '' || answer.status < 300 || 'code' in answer.body).toBe(true);
    }
    expect(answered).toEqual(Object.fromEntries(CALLERS.map((caller, at) => [caller, one.expectation.statuses[at]])));
    expect(Object.values(leaked).flat()).toEqual([]);
  });
});

describe('whoever reads its own is shown nothing of the other tenant:', () => {
  const reads = guarded.filter(({ endpoint }) => endpoint.method === 'GET');
  test.each(reads.map((one) => [titleOf(one), one] as const))('%s', async (_title, one) => {
    for (const [own, caller] of [
      [tenants.a, 'agent A'],
      [tenants.b, 'agent B'],
      [tenants.a, 'generator A'],
      [tenants.b, 'generator B'],
    ] as const) {
      const answer = await call(one, host.root.as(keyOf(caller, tenants)), own);
      expect(answer.status).toBe(one.expectation.statuses[CALLERS.indexOf(own === tenants.a ? caller : mirrored(caller))]);
      expect(leaks(answer, strangersTo(caller, tenants), requestOf(one, own))).toEqual([]);
    }
  });
  const mirrored = (caller: CallerName): CallerName => (caller === 'agent B' ? 'agent A' : 'generator A');
});

describe('what is public asks nobody for a key:', () => {
  const open = endpoints.filter(({ id }) => expectations[id] === 'public');
  test.each(open.map((endpoint) => [endpoint.path, endpoint] as const))(
    '%s',
    async (_path, endpoint) => {
      for (const authorization of [undefined, 'garbage']) {
        const { status } = await host.root.send(endpoint.method, pathOf(endpoint, tenants.a), undefined, { headers: { authorization } });
        expect([200, 302, 303, 404, 503]).toContain(status);
      }
      // The first visit to the code's reference builds it.
    },
    120_000,
  );
});

describe('a method that is not served is refused after the key, with those that are:', () => {
  const paths = [...Map.groupBy(endpoints, ({ path }) => path)];
  test.each(paths)('%s', async (_path, served) => {
    const [endpoint] = served;
    if (!endpoint) throw new Error('no endpoint');
    const allowed = served.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const path = pathOf(endpoint, tenants.a);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((candidate) => !allowed.includes(candidate))) {
      const { status, text, headers } = await host.root.as(host.adminPak).send(method, path);
      expect({ method, status, text }).toEqual({ method, status: 405, text: '' });
      expect(headers.allow?.split(', ').sort()).toEqual(allowed.sort());
      if (endpoint.access === 'public') continue;
      expect(await host.root.send(method, path)).toMatchObject({ status: 401, text: '' });
    }
  });
});

describe('HEAD answers as GET does, without the body:', () => {
  const reads = guarded.filter(({ endpoint }) => endpoint.method === 'GET');
  test.each(reads.map((one) => [titleOf(one), one] as const))('%s', async (_title, one) => {
    const admin = host.root.as(host.adminPak);
    const { path } = requestOf(one, tenants.a);
    const [get, head] = [await admin.get(path), await admin.head(path)];
    expect(head).toMatchObject({ status: get.status, text: '' });
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
  });
});

test('an unknown path is a plain 404 with or without a key', async () => {
  for (const path of ['/api/v1/nope', '/api/v1/agents/x/y/z', '/api/v1/stacks/', '/api/v2/agents', '/v1/nope', '/internal/nope']) {
    for (const api of [host.root, host.root.as(host.adminPak), host.root.as('garbage')]) {
      expect(await api.get(path)).toMatchObject({ status: 404, text: 'not found' });
    }
  }
});
