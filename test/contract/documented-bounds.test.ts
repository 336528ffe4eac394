import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Bound, bodyBounds, queryBounds } from './documented-bounds.ts';
import { type Guarded, guarded, requestOf, rowsOf } from './endpoint-calls.ts';

/** For each bound in the OpenAPI document, a value just outside must be refused, and a value just inside must not be refused for it. */
let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

/** Members that another test covers: another limit applies first, or only values from the server are valid. */
const COVERED_ELSEWHERE = ['yaml_content', 'cursor', 'since'];
const isCoveredElsewhere = ({ path }: Bound) => COVERED_ELSEWHERE.includes(path[0] ?? '');

function withMember(body: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  return name === undefined ? value : { ...Object(body), [name]: withMember(Object(body)[name], rest, value) };
}
async function sendBody(one: Guarded, path: readonly string[], value: unknown) {
  const { path: url, body } = requestOf(one, tenant);
  return host.root
    .as(keyFor(one))
    .send(one.endpoint.method, url, JSON.stringify(withMember(body, path, value)), { contentType: 'application/json' });
}
async function sendQuery(one: Guarded, name: string, value: unknown) {
  const { path, body } = requestOf(one, tenant);
  const url = new URL(path, host.url);
  url.searchParams.set(name, String(value));
  return host.root.as(keyFor(one)).send(one.endpoint.method, `${url.pathname}${url.search}`, body);
}
const keyFor = ({ expectation: { statuses } }: Guarded) => (statuses[0] === 403 ? tenant.agent.pak : host.adminPak);
const isRefusal = (status: number) => status === 400 || status === 422;

async function wrong(bounds: readonly Bound[], send: (bound: Bound, value: unknown) => Promise<{ status: number; text: string }>) {
  const found: unknown[] = [];
  for (const bound of bounds.filter((one) => !isCoveredElsewhere(one))) {
    const outside = await send(bound, bound.outside);
    if (!isRefusal(outside.status)) found.push({ path: bound.path, rule: bound.rule, outside: outside.status });
    if (bound.inside === undefined) continue;
    const inside = await send(bound, bound.inside);
    if (isRefusal(inside.status) || inside.status >= 500) found.push({ path: bound.path, rule: bound.rule, inside: inside.text });
  }
  return found;
}

const strict = guarded.filter(({ endpoint, expectation }) => endpoint.body !== undefined && !expectation.lenient);
describe('bounds of bodies', () => {
  test.each(rowsOf(strict))('$title keeps the bounds that the document names for its body', async ({ one }) => {
    expect(await wrong(bodyBounds(one.endpoint.id), ({ path }, value) => sendBody(one, path, value))).toEqual([]);
  });
});

const asked = guarded.filter(({ endpoint }) => queryBounds(endpoint.id).length > 0);
describe('bounds of query parameters', () => {
  test.each(rowsOf(asked))('$title keeps the bounds that the document names for its query', async ({ one }) => {
    expect(await wrong(queryBounds(one.endpoint.id), ({ path: [name = ''] }, value) => sendQuery(one, name, value))).toEqual([]);
  });
});
