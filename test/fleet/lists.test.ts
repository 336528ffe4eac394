import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fleetTable, stackKey } from '../../lib/fleet/fleet-table.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import {
  configMap,
  type MadeAgent,
  type MadeGenerator,
  makeAgent,
  makeGenerator,
  makeStack,
  ok,
  pagesOf,
  report,
  target,
} from './fleet-builder.ts';

let host: TestHost;
let queries: number;
let generator: MadeGenerator;
let agent: MadeAgent;
beforeAll(async () => {
  host = await startTestHost({
    functions: { scheduleGroups: [] },
    onConsumed: (operation) => {
      if (operation === 'Query') queries += 1;
    },
  });
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
});
afterAll(() => host.stop());

describe('the cost of a list of a small fleet', () => {
  test.each([
    ['/stacks', 1],
    ['/generators', 1],
    ['/paks', 1],
    ['/agents', 4],
  ])('the list %s takes %i queries of the store', async (path, most) => {
    queries = 0;
    await ok(host.admin.get(path));
    expect(queries).toBe(most);
  });
});

describe('pages of two items', () => {
  beforeAll(async () => {
    for (const name of ['b', 'd', 'a', 'c', 'e']) {
      const stack = await makeStack(host, generator, { name, yaml: configMap(name) });
      await target(host, agent, stack);
      await ok(report(agent, stack.deploymentObjectId));
    }
    for (let n = 0; n < 4; n++) {
      await makeAgent(host, { generators: [generator] });
      await makeGenerator(host);
    }
  });
  test.each([
    { what: 'all stacks', path: () => '/stacks', client: () => host.admin },
    { what: "a generator's stacks", path: () => '/stacks', client: () => generator.api },
    { what: "a tenant's stacks for an admin", path: () => `/stacks?pak_id=${generator.id}`, client: () => host.admin },
    { what: 'all agents', path: () => '/agents', client: () => host.admin },
    { what: "a generator's agents", path: () => '/agents', client: () => generator.api },
    { what: 'the stacks of an agent', path: () => `/agents/${agent.id}/stacks`, client: () => agent.api },
    { what: 'generators', path: () => '/generators', client: () => host.admin },
    {
      what: 'the registrations with a generator',
      path: () => `/generators/${generator.id}/registered-agents`,
      client: () => generator.api,
    },
  ])('pages of two join to the whole list, each item once: $what', async ({ path, client }) => {
    const separator = path().includes('?') ? '&' : '?';
    const [whole = []] = await pagesOf<{ id: string }>(client(), path());
    const pages = await pagesOf<{ id: string }>(client(), `${path()}${separator}limit=2`);
    expect(whole.length).toBeGreaterThanOrEqual(5);
    expect(pages).toHaveLength(Math.ceil(whole.length / 2));
    expect(
      pages
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(whole.map(({ id }) => id).sort());
  });
});

describe('a list that is longer than one answer can be', () => {
  const STACKS = 4_000;
  let newest: { id: string };
  let tenant: MadeGenerator;
  beforeAll(async () => {
    tenant = await makeGenerator(host);
    const created_at = '2026-01-01T00:00:00.000Z';
    const description = '"'.repeat(1_000);
    const items = Array.from({ length: STACKS }, (_, n) => {
      const id = crypto.randomUUID();
      const times = { created_at, updated_at: created_at, deleted_at: null };
      return { ...stackKey(id), type: 'stack', version: 1, id, ...times, name: `s-${n}`, description, generator_id: tenant.id };
    });
    const { database } = host.app.services;
    for (let from = 0; from < STACKS; from += 100) {
      await database.transact(items.slice(from, from + 100).map((put) => ({ table: fleetTable.name, put })));
    }
    newest = await makeStack(host, tenant);
  }, 60_000);

  test('a list that is longer than one answer has a cursor, which leads to every item once', async () => {
    const pages = await pagesOf<{ id: string }>(host.admin, '/stacks');
    expect(pages.length).toBeGreaterThan(2);
    for (const page of pages) expect(Buffer.byteLength(JSON.stringify({ body: JSON.stringify(page) }))).toBeLessThan(6 * 1024 * 1024);
    const ids = pages.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(STACKS);
    expect(ids).toContain(newest.id);
  });

  test('a long list is read in slices, so that other requests are answered meanwhile', async () => {
    let listed = false;
    let answered = 0;
    const list = host.admin.get('/stacks').then(() => {
      listed = true;
    });
    while (!listed) {
      await host.root.get('/healthz');
      answered += 1;
    }
    await list;
    expect(answered).toBeGreaterThan(10);
  });
});

test.each(['***', 'a'.repeat(3_000)])('a malformed cursor is refused: %.10s', async (cursor) => {
  expect(await host.admin.get(`/stacks?cursor=${cursor}`)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
});

test('a limit out of range is refused', async () => {
  for (const limit of ['0', '-1', '10001', 'x']) expect(await host.admin.get(`/agents?limit=${limit}`)).toMatchObject({ status: 400 });
});

test.each(['/agents', '/generators', '/paks'])("%s refuses another list's cursor, which would hide a part of it", async (path) => {
  const cursor = Buffer.from('2026-11-26T00:00:00.000Z#3f2504e0-4f89-41d3-9a0c-0305e82c3301').toString('base64url');
  expect(await host.admin.get(`${path}?cursor=${cursor}`)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
});
