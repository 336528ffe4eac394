import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import type { Answer, Call } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Guarded, guarded, pathOf, requestOf, rowsOf } from './endpoint-calls.ts';

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

const withBody = guarded.filter(({ endpoint }) => endpoint.body !== undefined);
/** A heartbeat accepts any body. */
const strict = withBody.filter(({ expectation }) => !expectation.lenient);

function send(one: Guarded, body: unknown, how?: Call): Promise<Answer> {
  const { path } = requestOf(one, tenant);
  const pak = one.expectation.bodyFrom === 'agent' ? tenant.agent.pak : host.adminPak;
  return host.root.as(pak).send(one.endpoint.method, path, body, how);
}
const sendRaw = (one: Guarded, body: string | Uint8Array, contentType: string | null = 'application/json') =>
  send(one, body, { contentType });

/** The answers that are not proper refusals: their status is another one, or their body doesn't have the form of errors. */
async function notRefused(tries: readonly (readonly [what: string, answer: Promise<Answer>])[], ...statuses: number[]): Promise<string[]> {
  const answers = await Promise.all(tries.map(async ([what, answer]) => ({ what, ...(await answer) })));
  return answers.flatMap(({ what, status, body, text }) => {
    if (!statuses.includes(status)) return [`${what}: ${status} ${text.slice(0, 200)}`];
    const isError = typeof body?.message === 'string' && body.message === body.error && /^[a-z_]+$/.test(body.code);
    return isError ? [] : [`${what}: ${text.slice(0, 200)}`];
  });
}

const valid = (one: Guarded): unknown => one.expectation.body?.(tenant);
const membersOf = (one: Guarded): [string, unknown][] => {
  const body = valid(one);
  return typeof body === 'object' && body !== null ? Object.entries(body) : [];
};
const WRONG: readonly unknown[] = [5, true, 'text', [], [1], {}, { a: 1 }, 1.5];
const sameType = (a: unknown, b: unknown) => typeof a === typeof b && Array.isArray(a) === Array.isArray(b);

describe('a body of another shape', () => {
  test.each(rowsOf(strict))('$title refuses a body of another shape', async ({ one }) => {
    const wholes = [null, [], 5, true, 'text', [valid(one)]].filter((whole) => !sameType(whole, valid(one)));
    const found = await notRefused(
      wholes.map(
        (whole) =>
          [
            JSON.stringify(whole),
            send(one, whole, { contentType: 'application/json' }).catch(() => sendRaw(one, JSON.stringify(whole))),
          ] as const,
      ),
      400,
      422,
    );
    expect(found).toEqual([]);
  });
});

describe('a member of the wrong type', () => {
  test.each(rowsOf(strict))('$title refuses a member of the wrong type and names it', async ({ one }) => {
    const wrong = membersOf(one).flatMap(([name, right]) =>
      WRONG.filter((value) => !sameType(value, right)).map((value) => ({ name, body: { ...Object(valid(one)), [name]: value } })),
    );
    const answers = await Promise.all(wrong.map(async ({ name, body }) => ({ name, body, answer: await send(one, body) })));
    const unclear = answers.filter(({ name, answer: { status, text } }) => ![400, 422].includes(status) || !text.includes(name));
    expect(unclear.map(({ body, answer }) => [body, answer.status, answer.text])).toEqual([]);
  });
});

describe('a body that cannot be read', () => {
  const BROKEN: readonly [what: string, body: string | Uint8Array][] = [
    ['nothing', ''],
    ['cut', '{"name": "a'],
    ['NaN', '{"name": NaN}'],
    ['two documents', '{} {}'],
    ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['100 levels', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x6e, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ];
  test.each(rowsOf(strict))('$title refuses a body that is not JSON, not UTF-8 or of another content type', async ({ one }) => {
    expect(
      await notRefused(
        BROKEN.map(([what, body]) => [what, sendRaw(one, body)]),
        400,
      ),
    ).toEqual([]);
    if (one.expectation.anyContentType) return;
    const right = JSON.stringify(valid(one));
    const types = ['text/plain', 'application/xml', 'application/jsonx', 'multipart/form-data', 'json', 'application/json-patch'];
    expect(
      await notRefused(
        types.map((type) => [type, sendRaw(one, right, type)]),
        415,
      ),
    ).toEqual([]);
  });
});

describe('an extreme value', () => {
  const HUGE = [
    '1e999',
    '-1e999',
    '123456789012345678901234567890',
    '"\\ud800"',
    '"\\u0000"',
    '"\\udfff\\ud800 "',
    `"${'x'.repeat(100_000)}"`,
    `[${'0,'.repeat(50_000)}0]`,
  ];
  test.each(rowsOf(withBody))('$title never answers 5xx to an extreme value', async ({ one }) => {
    const bodies = membersOf(one).flatMap(([name]) =>
      HUGE.map((text) => JSON.stringify({ ...Object(valid(one)), [name]: '@' }).replace('"@"', text)),
    );
    if (typeof valid(one) === 'string') bodies.push(...HUGE);
    const answers = await Promise.all(bodies.map(async (body) => ({ sent: body.slice(0, 300), answer: await sendRaw(one, body) })));
    expect(answers.filter(({ answer }) => answer.status >= 500).map(({ sent, answer }) => ({ sent, text: answer.text }))).toEqual([]);
    const unclear = answers.filter(({ answer: { status, body } }) => status >= 400 && !body?.message);
    expect(unclear).toEqual([]);
  });

  test.each(rowsOf(strict))('$title refuses half a surrogate pair, which it could not return as it was sent', async ({ one }) => {
    const texts = membersOf(one).filter(([, right]) => typeof right === 'string');
    const bodies = texts.map(([name]) => JSON.stringify({ ...Object(valid(one)), [name]: '@' }).replace('"@"', '"a\\ud800b"'));
    if (typeof valid(one) === 'string') bodies.push('"a\\ud800b"');
    expect(
      await notRefused(
        bodies.map((body) => [body, sendRaw(one, body)]),
        400,
        422,
      ),
    ).toEqual([]);
  });
});

describe('a member called __proto__', () => {
  test.each(rowsOf(withBody))('$title takes __proto__ and constructor for names like any other', async ({ one }) => {
    const rest = membersOf(one).length > 0 ? `,${JSON.stringify(valid(one)).slice(1)}` : '}';
    for (const evil of [
      '"__proto__":{"admin":true,"polluted":1}',
      '"constructor":{"prototype":{"polluted":1}}',
      '"toString":null,"valueOf":5',
    ]) {
      const { status } = await sendRaw(one, `{${evil}${rest}`);
      expect(status).toBeLessThan(500);
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    const nested = membersOf(one).map(([name]) => ({
      ...Object(valid(one)),
      [name]: JSON.parse('{"__proto__":1,"toString":null,"valueOf":null}'),
    }));
    const answers = await Promise.all(nested.map((body) => send(one, body)));
    expect(answers.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
  });
});

describe('a body above the limit', () => {
  test.each(rowsOf(guarded.filter(({ endpoint }) => endpoint.method !== 'GET')))(
    '$title answers 413 to a body above its limit, with and without a key',
    async ({ one }) => {
      const limit = one.endpoint.bodyLimitBytes ?? 256 * 1024;
      const tooMuch = JSON.stringify('x'.repeat(limit));
      expect(await notRefused([['too much', sendRaw(one, tooMuch)]], 413)).toEqual([]);
      expect(
        await host.root.send(one.endpoint.method, requestOf(one, tenant).path, tooMuch, { contentType: 'application/json' }),
      ).toMatchObject({ status: 413 });
    },
  );
});

describe('an id in a path', () => {
  const BAD = [
    'not-a-uuid',
    '0',
    'null',
    '%00',
    '..%2f..%2fetc',
    '%ZZ',
    '%ff',
    `{${crypto.randomUUID()}}`,
    `${crypto.randomUUID()}x`,
    'x'.repeat(300),
    '__proto__',
  ];
  const withIds = guarded.filter(({ endpoint }) => /{(\w*id)}/.test(endpoint.path));
  test.each(rowsOf(withIds))('$title answers 400 to a malformed id', async ({ one }) => {
    const names = [...one.endpoint.path.matchAll(/{(\w*id)}/g)].map(([, name]) => name ?? '');
    const pak = one.expectation.bodyFrom === 'agent' ? tenant.agent.pak : host.adminPak;
    const tries = names.flatMap((name) =>
      BAD.map(
        (bad) => [bad, host.root.as(pak).send(one.endpoint.method, pathOf(one.endpoint, tenant, { [name]: bad }), valid(one))] as const,
      ),
    );
    expect(await notRefused(tries, 400)).toEqual([]);
  });

  test.each(rowsOf(withIds.filter(({ endpoint }) => endpoint.method === 'GET')))(
    '$title accepts ids in upper and in lower case',
    async ({ one }) => {
      const { path, body } = requestOf(one, tenant);
      const shouted = path.replaceAll(/[0-9a-f-]{36}/g, (id) => id.toUpperCase());
      const callers = [host.adminPak, tenant.agent.pak, tenant.generator.pak];
      for (const pak of callers) {
        const api = host.root.as(pak);
        expect((await api.send('GET', shouted, body)).status).toBe((await api.send('GET', path, body)).status);
      }
    },
  );
});

describe('a label or key in a path', () => {
  const ODD = ['%00', '%20', '%2F', '%ff', '%ZZ', '__proto__', 'x'.repeat(65), 'x'.repeat(3_000), '%F0%9F%92%A9'.repeat(200)];
  const named = guarded.filter(({ endpoint }) => /{(label|key)}/.test(endpoint.path));
  test.each(rowsOf(named))('$title answers 404 to a label or key that cannot exist', async ({ one }) => {
    const tries = ODD.map(
      (odd) => [odd, host.root.as(host.adminPak).send('DELETE', pathOf(one.endpoint, tenant, { label: odd, key: odd }))] as const,
    );
    expect(await notRefused(tries, 404)).toEqual([]);
  });
});

describe('a query without sense', () => {
  const VALUES = ['x', '-1', '1e999', '%00', '%ff', '9'.repeat(40), 'x'.repeat(5_000)];
  test.each(rowsOf(guarded.filter(({ endpoint }) => endpoint.query !== undefined && endpoint.method === 'GET')))(
    '$title refuses a query without sense with 400, or ignores it',
    async ({ one }) => {
      const path = pathOf(one.endpoint, tenant);
      const names = Object.keys(one.endpoint.query.shape);
      const queries = names
        .flatMap((name) => VALUES.map((value) => `?${name}=${value}`))
        .concat('?&&&==&=', '?name=a&name=b', `?name=${'y'.repeat(2_000)}&cluster_name=${'%C3%BC'.repeat(500)}`);
      const answers = await Promise.all(
        queries.map(async (query) => ({ query: query.slice(0, 100), ...(await host.root.as(host.adminPak).get(`${path}${query}`)) })),
      );
      expect(
        answers.filter(({ status }) => ![200, 400, 404].includes(status)).map(({ query, status, text }) => ({ query, status, text })),
      ).toEqual([]);
    },
  );
});

test('a UUID of any version that nothing has is unknown, not malformed', async () => {
  const id = '11111111-1111-1111-1111-111111111111';
  expect(await host.admin.get(`/agents/${id}`)).toMatchObject({ status: 404, body: { code: 'agent_not_found' } });
  expect(await host.admin.delete(`/agents/${id}`)).toMatchObject({ status: 204 });
  expect(await host.admin.get(`/agents/${id}/events`)).toMatchObject({ status: 200, body: [] });
  const agent = { name: 'any', cluster_name: 'any', generator_ids: [id] };
  expect(await host.admin.post('/agents', agent)).toMatchObject({ status: 400, body: { code: 'invalid_generator_id' } });
});
