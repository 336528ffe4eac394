import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fleetSurface } from '../../functions/fleet/fleet-surface.ts';
import type { Caller } from '../../lib/fleet/fleet-ports.ts';
import { httpFunction } from '../../lib/platform/http/http-function.ts';
import { makeTenant, type Tenant } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { apiOver, createGateway } from '../infra/gateway.ts';
import { endpoints, guarded, pathOf, requestOf, rowsOf } from './endpoint-calls.ts';
import { verbs } from './verb-calls.ts';

/** A principal of a kind that no access rule names, with the id of a tenant. */
const auditorOf = ({ generator }: Tenant) => ({ type: 'auditor', id: generator.id });

let host: TestHost;
let tenant: Tenant;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
});
afterAll(() => host.stop());

describe('a route that gets a principal of an unknown kind', () => {
  const surface = { ...fleetSurface, authenticate: async () => auditorOf(tenant) as never, describe: () => ({ type: 'auditor' }) };
  const strange = endpoints.map((endpoint) => (endpoint.access === 'public' ? endpoint : { ...endpoint, surface }));
  const group = { name: 'all', file: '', endpoints: strange, handler: httpFunction(strange, surface) };
  const gateway = createGateway([group], group);
  const api = apiOver((...request) => group.handler(gateway(...request).event), undefined, '');

  test.each(rowsOf(guarded))('$title refuses a principal of an unknown kind', async ({ one }) => {
    const { path, body } = requestOf(one, tenant);
    const { status, body: refusal } = await api.send(one.endpoint.method, path, body);
    expect([status, refusal.code]).toEqual([403, 'forbidden']);
  });

  test('every route refuses a principal of an unknown kind, whatever the method', async () => {
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

describe('a verb that gets a caller of an unknown kind', () => {
  test.each(Object.entries(verbs))('%s refuses a caller of an unknown kind', async (_name, call) => {
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

test('only the two files that declare principals compare their kinds', () => {
  const root = resolve(import.meta.dirname, '../..');
  const sources = ['lib', 'functions'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts')),
  );
  const comparing = sources.filter(({ parentPath, name }) =>
    /principal\.type [!=]== '(?!system)|switch \(.*principal\.type\)/.test(readFileSync(join(parentPath, name), 'utf8')),
  );
  expect(comparing.map(({ name }) => name).sort()).toEqual(['account-principals.ts', 'principal.ts']);
});
