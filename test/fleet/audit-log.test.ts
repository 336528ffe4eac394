import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call, guarded, isDestructive, titleOf } from '../contract/endpoint-calls.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeAgent, makeGenerator, makeTenant, ok, type Tenant, unique } from './fleet-builder.ts';
import { clockAt, type TestClock } from './test-clock.ts';

let clock: TestClock;
let host: TestHost;
beforeAll(async () => {
  clock = clockAt('2026-03-01T12:00:00.000Z');
  host = await startTestHost({ clock });
});
afterAll(() => host.stop());

interface Entry {
  id: string;
  timestamp: string;
  actor_type: string;
  actor_id: string | null;
  actor_name: string | null;
  action: string;
  resource_type: string;
  resource_id: string | null;
  details: Record<string, unknown> | null;
  user_agent?: string;
  ip_address?: string;
}
const page = (query: string) => ok(host.admin.get(`/admin/audit-logs?${query}`));
const entries = async (query: string): Promise<Entry[]> => (await page(query)).logs;
const now = () => new Date(clock.nowMs()).toISOString();

/** The audit entries of each endpoint that changes something; null for telemetry, which is its own record. */
const ACTIONS: Readonly<Record<string, readonly string[] | null>> = {
  verify_pak: null,
  create_agent: ['agent.created', 'pak.created'],
  update_agent: ['agent.updated'],
  delete_agent: ['agent.deleted'],
  rotate_agent_pak: ['pak.rotated'],
  agents_add_label: ['agent.label_added'],
  agents_remove_label: ['agent.label_removed'],
  agents_add_annotation: ['agent.annotation_added'],
  agents_remove_annotation: ['agent.annotation_removed'],
  add_target: ['agent.target_added'],
  remove_target: ['agent.target_removed'],
  record_heartbeat: null,
  create_event: null,
  create_stack: ['stack.created'],
  update_stack: ['stack.updated'],
  delete_stack: ['stack.deleted'],
  stacks_add_label: ['stack.label_added'],
  stacks_remove_label: ['stack.label_removed'],
  stacks_add_annotation: ['stack.annotation_added'],
  stacks_remove_annotation: ['stack.annotation_removed'],
  create_deployment_object: ['deployment_object.created'],
  create_generator: ['generator.created', 'pak.created'],
  update_generator: ['generator.updated'],
  delete_generator: ['generator.deleted', 'stack.deleted', 'template.deleted'],
  rotate_generator_pak: ['pak.rotated'],
  register_agent: ['agent.registered'],
  deregister_agent: ['agent.deregistered', 'agent.target_removed'],
  create_template: ['template.created'],
  validate_template: null,
  update_template: ['template.updated'],
  delete_template: ['template.deleted'],
  preview_template: null,
  templates_add_label: ['template.label_added'],
  templates_remove_label: ['template.label_removed'],
  templates_add_annotation: ['template.annotation_added'],
  templates_remove_annotation: ['template.annotation_removed'],
  instantiate_template: ['deployment_object.created'],
  create_work_order: ['workorder.created'],
  delete_work_order: ['workorder.deleted'],
  claim_work_order: ['workorder.claimed'],
  renew_work_order: null,
  complete_work_order: ['workorder.completed'],
  v1_register_agent: ['agent.created', 'pak.created'],
  v1_deregister_agent: ['agent.deleted'],
  v1_create_deployment: ['deployment_object.created', 'stack.created'],
  v1_update_deployment: ['deployment_object.created', 'stack.updated'],
  v1_delete_deployment: ['stack.deleted'],
  v1_report_event: null,
};
const changing = guarded.filter(({ endpoint }) => endpoint.method !== 'GET');

test('every endpoint that changes something is in the table of audit entries', () => {
  expect(Object.keys(ACTIONS).sort()).toEqual(changing.map(({ endpoint }) => endpoint.id).sort());
});

/** Some valid requests change nothing until something is undone first. */
async function makeRoom(id: string, { agent, stack, generator, order, template }: Tenant): Promise<void> {
  if (id === 'add_target') await ok(host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`));
  if (id === 'instantiate_template') {
    await host.admin.delete(`/templates/${template.id}/labels/template-label`);
    await host.admin.delete(`/templates/${template.id}/annotations/template-key`);
  }
  if (id === 'claim_work_order') {
    await ok(agent.api.post(`/work-orders/${order.id}/complete`, { success: false }));
    clock.pass(120_000);
  }
  if (id === 'register_agent') await ok(host.admin.delete(`/generators/${generator.id}/register`, { agent_id: agent.id }));
}

describe('an audited change', () => {
  const CALLERS = [
    { type: 'admin', column: 0, of: () => ({ id: null, pak: host.adminPak }) },
    { type: 'agent', column: 1, of: ({ agent }: Tenant) => agent },
    { type: 'generator', column: 3, of: ({ generator }: Tenant) => generator },
  ] as const;
  let shared: Tenant;
  beforeAll(async () => {
    shared = await makeTenant(host);
  });
  test.each(changing.map((one) => [titleOf(one), one] as const))(
    '%s writes entries with its caller and its action',
    async (_title, one) => {
      for (const { type, of } of CALLERS.filter(({ column }) => one.expectation.statuses[column] !== 403)) {
        const tenant = isDestructive(one) ? await makeTenant(host) : shared;
        await makeRoom(one.endpoint.id, tenant);
        const { id, pak } = of(tenant);
        clock.pass(1_000);
        await ok(call(one, host.root.as(pak), tenant, { headers: { 'user-agent': 'a-test/1.0' } }));
        const own = (await entries(`from=${now()}`)).filter(({ actor_type }) => actor_type !== 'system');
        expect(own.map(({ action }) => action).sort()).toEqual(ACTIONS[one.endpoint.id] ?? []);
        for (const entry of own) {
          expect(entry).toMatchObject({
            actor_type: type,
            actor_id: id,
            user_agent: 'a-test/1.0',
            ip_address: '127.0.0.1',
            timestamp: now(),
          });
          expect(entry.resource_id).toMatch(/^[0-9a-f-]{36}$/);
        }
      }
    },
  );
});

test('a refused change has no entry of its action', async () => {
  const [tenant, stranger] = await Promise.all([makeTenant(host), makeTenant(host)]);
  clock.pass(1_000);
  const denied = changing.filter(({ expectation }) => expectation.statuses[4] === 403);
  for (const one of denied) expect(await call(one, host.root.as(stranger.generator.pak), tenant)).toMatchObject({ status: 403 });
  expect(denied.length).toBeGreaterThan(20);
  expect(await entries(`from=${now()}`)).toEqual([]);
});

test("the removals that follow from a generator's deletion name the caller who deleted it", async () => {
  const [first, second] = [await makeTenant(host), await makeTenant(host)];
  clock.pass(1_000);
  await ok(host.admin.delete(`/generators/${first.generator.id}`));
  await ok(second.generator.api.delete(`/generators/${second.generator.id}`));
  const deletion = async ({ stack }: typeof first) => (await entries(`resource_id=${stack.id}&action=stack.deleted`))[0];
  expect(await deletion(first)).toMatchObject({ actor_type: 'admin', actor_id: null });
  expect(await deletion(second)).toMatchObject({ actor_type: 'generator', actor_id: second.generator.id });
});

describe('reading the audit log', () => {
  let tenant: Tenant;
  let start: string;
  beforeAll(async () => {
    clock.pass(86_400_000);
    start = now();
    tenant = await makeTenant(host);
    clock.pass(60_000);
    await ok(tenant.generator.api.post('/stacks', { name: unique('s'), generator_id: tenant.generator.id }));
    clock.pass(86_400_000);
    await ok(tenant.generator.api.post('/stacks', { name: unique('s'), generator_id: tenant.generator.id }));
  });

  test('the log is newest first over several days', async () => {
    const all = await entries(`from=${start}`);
    expect(all.length).toBeGreaterThan(8);
    expect(all.map(({ timestamp }) => timestamp)).toEqual(
      all
        .map(({ timestamp }) => timestamp)
        .sort()
        .reverse(),
    );
    expect(all[0]).toMatchObject({ action: 'stack.created', timestamp: now() });
  });

  const FILTERS: readonly [query: () => string, holds: (entry: Entry) => boolean][] = [
    [() => 'action=stack.created', ({ action }) => action === 'stack.created'],
    [() => 'action=stack.*', ({ action }) => action.startsWith('stack.')],
    [() => 'action=*', () => true],
    [() => 'actor_type=generator', ({ actor_type }) => actor_type === 'generator'],
    [() => `actor_id=${tenant.generator.id}`, ({ actor_id }) => actor_id === tenant.generator.id],
    [() => 'resource_type=pak', ({ resource_type }) => resource_type === 'pak'],
    [() => `resource_id=${tenant.stack.id}`, ({ resource_id }) => resource_id === tenant.stack.id],
    [
      () => `resource_id=${tenant.stack.id}&action=stack.label_*&actor_type=admin`,
      ({ resource_id, action }) => resource_id === tenant.stack.id && action === 'stack.label_added',
    ],
  ];
  test.each(FILTERS)('an entry is found if it meets all filters (%#)', async (query, holds) => {
    const all = await entries(`from=${start}&limit=1000`);
    const found = await page(`from=${start}&limit=1000&${query()}`);
    expect(found.logs).toEqual(all.filter(holds));
    expect(found.logs.length).toBeGreaterThan(0);
    expect(found).toMatchObject({ total: found.logs.length, count: found.logs.length, limit: 1000, offset: 0 });
  });

  test.each(['action=stack.cre', 'action=s*ck.created', 'action=STACK.*', `resource_id=${crypto.randomUUID()}`, 'actor_type=nobody'])(
    'a filter that no entry meets finds nothing: %s',
    async (query) => expect(await page(`from=${start}&${query}`)).toMatchObject({ logs: [], total: 0, count: 0 }),
  );

  test('`from` is inclusive, `to` is exclusive, and both may have any time zone', async () => {
    const instant = new Date(Date.parse(start) + 60_000).toISOString();
    const after = new Date(Date.parse(instant) + 1).toISOString();
    expect(await entries(`from=${instant}&to=${after}`)).toHaveLength(1);
    expect(await entries(`from=${after}&to=${now()}`)).toEqual([]);
    expect(await entries(`from=${start}&to=${start}`)).toEqual([]);
    const zoned = instant.replace('T12:', 'T14:').replace('Z', '%2B02:00');
    expect(await entries(`from=${zoned}&to=${after}`)).toHaveLength(1);
    expect(await entries(`resource_id=${tenant.stack.id}&to=${start}`)).toEqual([]);
  });

  test('pages by offset join to the whole log', async () => {
    const all = await entries(`from=${start}&limit=1000`);
    const pages = await Promise.all([0, 3, 6].map((offset) => page(`from=${start}&limit=3&offset=${offset}`)));
    expect(pages.flatMap(({ logs }) => logs)).toEqual(all.slice(0, 9));
    for (const one of pages) expect(one).toMatchObject({ total: all.length, count: 3, limit: 3 });
    expect(await page(`from=${start}&offset=9999`)).toMatchObject({ logs: [], count: 0, total: all.length });
  });

  test.each([
    ['', 100],
    ['limit=0', 1],
    ['limit=-5', 1],
    ['limit=5000', 1000],
    ['limit=7', 7],
  ])('a limit out of range is corrected (%s)', async (query, limit) => {
    expect(await page(query)).toMatchObject({ limit });
  });

  test.each(['limit=many', 'limit=1.5', 'from=yesterday', 'to=2026-13-01T00:00:00Z', 'actor_id=me', 'resource_id=1', 'offset=x'])(
    'a malformed query is refused: %s',
    async (query) => {
      expect(await host.admin.get(`/admin/audit-logs?${query}`)).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining(query.split('=')[0] ?? '') },
      });
    },
  );

  test('entries keep the name that an actor had when it acted, also after the actor is gone', async () => {
    const generator = await makeGenerator(host);
    const { name, ...rest } = await ok(generator.api.get(`/generators/${generator.id}`));
    const agent = await makeAgent(host, { generators: [generator] });
    const stack = await ok(generator.api.post('/stacks', { name: unique('s'), generator_id: generator.id }));
    await ok(agent.api.post(`/agents/${agent.id}/rotate-pak`));
    const agentName = (await ok(host.admin.get(`/agents/${agent.id}`))).name;
    await ok(host.admin.put(`/generators/${generator.id}`, { ...rest, name: unique('renamed') }));
    await ok(host.admin.delete(`/generators/${generator.id}`));
    await ok(host.admin.delete(`/agents/${agent.id}`));
    const nameIn = async (query: string) => (await entries(query))[0]?.actor_name;
    expect(await nameIn(`resource_id=${stack.id}&action=stack.created`)).toBe(name);
    expect(await nameIn(`resource_id=${agent.id}&action=pak.rotated`)).toBe(agentName);
    expect(await nameIn(`resource_id=${generator.id}&action=generator.deleted`)).toBe('admin');
  });

  test('entries of keys name the principal of a new or replaced key', async () => {
    const generator = await makeGenerator(host);
    const { name } = await ok(generator.api.get(`/generators/${generator.id}`));
    const agent = await makeAgent(host);
    const agentName = (await ok(host.admin.get(`/agents/${agent.id}`))).name;
    await ok(generator.api.post(`/generators/${generator.id}/rotate-pak`));
    const created = async (id: string) => (await entries(`resource_id=${id}&action=pak.created`))[0]?.details;
    expect(await created(generator.id)).toEqual({ entity: 'generator', name });
    expect(await created(agent.id)).toEqual({ entity: 'agent', name: agentName });
    expect((await entries(`resource_id=${generator.id}&action=pak.rotated`))[0]).toMatchObject({
      resource_type: 'generator',
      details: { generator_name: name },
    });
  });

  test('entries expire after their retention', async () => {
    const { id } = await makeGenerator(host);
    expect(await entries(`resource_id=${id}`)).toHaveLength(1 + 1);
    clock.pass(91 * 86_400_000);
    expect(await entries(`resource_id=${id}`)).toEqual([]);
    expect(await entries('')).toEqual([]);
  });
});
