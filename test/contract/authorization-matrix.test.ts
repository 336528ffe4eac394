import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeAgent, makeGenerator, makeTenant, ok, type Tenant } from '../fleet/fleet-builder.ts';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { expectations } from './authorization-expectations.ts';
import { call, endpoints, guarded, isDestructive, pathOf, requestOf, rowsOf } from './endpoint-calls.ts';

let host: TestHost;
let tenants: { a: Tenant; b: Tenant };
/** Authorization headers without a live key. */
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
    'an unknown key': 'brokkr_BRabcdef_1111111111111111111111111111111111',
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
/** The tenants whose things a caller must not learn of. */
const strangersTo = (caller: CallerName, { a, b }: typeof tenants): Tenant[] =>
  caller === 'admin' ? [] : caller.endsWith('A') ? [b] : [a];

/** The strangers' secrets that an answer contains, although the request did not. */
function leaks({ text, headers }: Answer, strangers: readonly Tenant[], sent: unknown): string[] {
  const shown = `${text} ${JSON.stringify(headers)}`;
  return strangers.flatMap(({ secrets }) => secrets).filter((secret) => shown.includes(secret) && !JSON.stringify(sent).includes(secret));
}

test('the table of expectations names every endpoint and nothing else', () => {
  expect(Object.keys(expectations).sort()).toEqual(endpoints.map(({ id }) => id).sort());
  const open = endpoints.filter(({ access }) => access === 'public').map(({ id }) => id);
  expect(open.filter((id) => expectations[id] !== 'public')).toEqual([]);
  expect(guarded.filter(({ endpoint }) => endpoint.access === 'public')).toEqual([]);
});

describe('a caller without a live key', () => {
  test.each(rowsOf(guarded))('$title answers a caller without a live key with an empty 401', async ({ one }) => {
    const answers = Object.entries(dead).map(async ([name, authorization]) => {
      const { status, text } = await call(one, host.root, tenants.a, { headers: { authorization } });
      return { name, status, text };
    });
    expect(await Promise.all(answers)).toEqual(Object.keys(dead).map((name) => ({ name, status: 401, text: '' })));
  });
});

describe('a caller with a live key', () => {
  test.each(rowsOf(guarded))("$title answers each caller by its access rule, without another tenant's ids", async ({ one }) => {
    const answered: Record<string, number> = {};
    const leaked: Record<string, string[]> = {};
    for (const [index, caller] of CALLERS.entries()) {
      const expected = one.expectation.statuses[index] ?? 0;
      const world = expected < 300 && isDestructive(one) ? await freshWorldFor(caller) : tenants;
      const answer = await call(one, host.root.as(keyOf(caller, world)), world.a);
      answered[caller] = answer.status;
      leaked[caller] = leaks(answer, strangersTo(caller, world), requestOf(one, world.a));
      expect(answer.text === '' || answer.status < 300 || 'code' in answer.body).toBe(true);
    }
    expect(answered).toEqual(Object.fromEntries(CALLERS.map((caller, index) => [caller, one.expectation.statuses[index]])));
    expect(Object.values(leaked).flat()).toEqual([]);
  });
});

describe('a tenant that reads its own things', () => {
  const reads = guarded.filter(({ endpoint }) => endpoint.method === 'GET');
  test.each(rowsOf(reads))('$title shows a tenant nothing of the other tenant', async ({ one }) => {
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

describe('a public endpoint', () => {
  const open = endpoints.filter(({ id }) => expectations[id] === 'public');
  test.each(open)(
    '$path answers without a key',
    async (endpoint) => {
      for (const authorization of [undefined, 'garbage']) {
        const { status } = await host.root.send(endpoint.method, pathOf(endpoint, tenants.a), undefined, { headers: { authorization } });
        expect([200, 302, 303, 404, 503]).toContain(status);
      }
      // The first visit to the code's reference builds it.
    },
    120_000,
  );
});

describe('a method that a path does not serve', () => {
  const paths = [...Map.groupBy(endpoints, ({ path }) => path)];
  test.each(paths)('%s checks the key, then refuses other methods and names its own', async (_path, served) => {
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

describe('HEAD', () => {
  const reads = guarded.filter(({ endpoint }) => endpoint.method === 'GET');
  test.each(rowsOf(reads))('$title answers HEAD with the same status and type, without a body', async ({ one }) => {
    const admin = host.root.as(host.adminPak);
    const { path } = requestOf(one, tenants.a);
    const [get, head] = [await admin.get(path), await admin.head(path)];
    expect(head).toMatchObject({ status: get.status, text: '' });
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
  });
});

test('an unknown path is answered with a plain 404, with or without a key', async () => {
  for (const path of ['/api/v1/nope', '/api/v1/agents/x/y/z', '/api/v1/stacks/', '/api/v2/agents', '/v1/nope', '/internal/nope']) {
    for (const api of [host.root, host.root.as(host.adminPak), host.root.as('garbage')]) {
      expect(await api.get(path)).toMatchObject({ status: 404, text: 'not found' });
    }
  }
});
