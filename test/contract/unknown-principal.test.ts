import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fleetSurface } from '../../functions/fleet/fleet-surface.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { apiOver, createGateway } from '../infra/gateway.ts';
import { endpoints, guarded, pathOf, requestOf, titleOf } from './endpoint-calls.ts';
import { verbs } from './verb-calls.ts';

/** A kind of principal that somebody adds later, and that no rule knows yet. It has the id of a tenant. */
const auditorOf = ({ generator }: Tenant) => ({ type: 'auditor', id: generator.id });

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

describe('a principal of a kind that no rule names is refused by every route:', () => {
  const surface = { ...fleetSurface, authenticate: async () => auditorOf(tenant) as never, describe: () => ({ type: 'auditor' }) };
  const strange = endpoints.map((endpoint) => (endpoint.access === 'public' ? endpoint : { ...endpoint, surface }));
  const group = { name: 'all', file: '', endpoints: strange, handler: httpFunction(strange, surface) };
  const gateway = createGateway([group], group);
  const api = apiOver((...request) => group.handler(gateway(...request).event), undefined, '');

  test.each(guarded.map((one) => [titleOf(one), one] as const))('%s', async (_title, one) => {
    const { path, body } = requestOf(one, tenant);
    const { status, body: refusal } = await api.send(one.endpoint.method, path, body);
    expect([status, refusal.code]).toEqual([403, 'forbidden']);
  });

  test('with any other method as well', async () => {
    for (const { endpoint } of guarded) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const { status } = await api.send(method, pathOf(endpoint, tenant));
        expect({ path: endpoint.path, method, refused: [403, 405].includes(status) }).toEqual({
          path: endpoint.path,
          method,
          refused: true,
        });
      }
    }
  });
});

describe('a caller of a kind that no rule names is refused by every verb, if it should ever get there:', () => {
  test.each(Object.entries(verbs))('%s', async (_name, call) => {
    const caller: Caller = { principal: auditorOf(tenant) as never };
    const stored = async () => JSON.stringify((await host.admin.get(`/stacks/${tenant.stack.id}/deployment-objects`)).body);
    const before = await stored();
    await expect(Promise.resolve().then(() => call(host.app.services, caller, tenant))).rejects.toMatchObject({ kind: 'forbidden' });
    expect(await stored()).toBe(before);
  });

  test('the table of verbs names each verb that takes a caller', () => {
    const root = resolve(import.meta.dirname, '../../lib/fleet');
    const sources = readdirSync(root, { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts'));
    const declared = sources.flatMap(({ parentPath, name }) => {
      const text = readFileSync(join(parentPath, name), 'utf8');
      return [
        ...text.matchAll(
          /export (?:async function|function|const) (\w+)(?: = (?:async )?)?\(\s*[^():]*: [^,]*?FleetPorts[^,]*,\s*[^:,()]*: Caller/g,
        ),
      ];
    });
    expect(declared.map(([, verb]) => verb).sort()).toEqual(Object.keys(verbs).sort());
  });
});

test('kinds of principal are told apart in one place', () => {
  const root = resolve(import.meta.dirname, '../..');
  const sources = ['lib', 'functions'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts')),
  );
  const comparing = sources.filter(({ parentPath, name }) =>
    /principal\.type [!=]== '(?!system)|switch \(.*principal\.type\)/.test(readFileSync(join(parentPath, name), 'utf8')),
  );
  expect(comparing.map(({ name }) => name)).toEqual(['principal.ts']);
});
