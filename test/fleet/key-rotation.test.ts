import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeAgent, makeGenerator, ok } from './fleet-builder.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

/** The kinds of principal that have keys, with their paths and the contract's answer to a rotation. */
const KINDS = {
  agent: { path: '/agents', status: 200, make: () => makeAgent(host) },
  generator: { path: '/generators', status: 201, make: () => makeGenerator(host) },
} as const;

describe.each(Object.entries(KINDS))('the key of the %s', (kind, { path, status, make }) => {
  test(`the ${kind} that rotates its key gets the new key, and the old key is refused`, async () => {
    const { id, pak, api } = await make();
    const { body, ...answer } = await api.post(`${path}/${id}/rotate-pak`);
    expect(answer.status).toBe(status);
    expect(body).toEqual({ [kind]: expect.objectContaining({ id }), pak: expect.stringMatching(/^brokkr_BR\w{6}_\w+$/) });
    expect(body.pak).not.toBe(pak);
    expect(await api.post('/auth/pak')).toMatchObject({ status: 401, text: '' });
    expect(await ok(host.anonymous.as(body.pak).post('/auth/pak'))).toMatchObject({ admin: false, [kind]: id });
  });

  test(`sixteen rotations of the ${kind}'s key at once are all answered, and exactly one new key works`, async () => {
    const { id } = await make();
    const answers = await Promise.all(Array.from({ length: 16 }, () => host.admin.post(`${path}/${id}/rotate-pak`)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(16).fill(status));
    const opened = await Promise.all(answers.map(({ body }) => host.anonymous.as(body.pak).post('/auth/pak')));
    expect(opened.filter((answer) => answer.status === 200)).toHaveLength(1);
  });

  test(`the ${kind} whose key an admin rotates keeps everything but the key`, async () => {
    const { id, api } = await make();
    const before = await ok(api.get(`${path}/${id}`));
    const { pak } = await ok(host.admin.post(`${path}/${id}/rotate-pak`));
    expect(await api.get(`${path}/${id}`)).toMatchObject({ status: 401 });
    expect(await ok(host.anonymous.as(pak).get(`${path}/${id}`))).toEqual({ ...before, updated_at: expect.any(String) });
  });

  test(`the ${kind} whose key is rotated five times at once has exactly one key, and not the old one`, async () => {
    const { id, api } = await make();
    const answers = await Promise.all(Array.from({ length: 5 }, () => host.admin.post(`${path}/${id}/rotate-pak`)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(status));
    const alive = await Promise.all(answers.map(({ body }) => host.anonymous.as(body.pak).post('/auth/pak')));
    expect(alive.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401, 401]);
    expect(await api.post('/auth/pak')).toMatchObject({ status: 401 });
  });

  test(`the ${kind} keeps its key if a stranger asks for a rotation`, async () => {
    const [mine, theirs] = [await make(), await make()];
    expect(await theirs.api.post(`${path}/${mine.id}/rotate-pak`)).toMatchObject({ status: 403 });
    expect(await mine.api.post('/auth/pak')).toMatchObject({ status: 200 });
  });
});

test("a deleted generator's key is refused, and its name is free", async () => {
  const { id, api } = await makeGenerator(host);
  const { name } = await ok(api.get(`/generators/${id}`));
  await ok(api.delete(`/generators/${id}`));
  expect(await api.get('/stacks')).toMatchObject({ status: 401 });
  for (const path of ['/generators', '/paks']) expect((await host.admin.get(path)).text).not.toContain(id);
  expect(await host.admin.get(`/generators/${id}`)).toMatchObject({ status: 404, body: { code: 'generator_not_found' } });
  expect(await host.admin.post('/generators', { name })).toMatchObject({ status: 201 });
});

test("the system's generator has no key, is in no list and can't be removed", async () => {
  const { system_generator_id: id, admin_generator_id } = host.app.services.installation;
  expect(await host.admin.post(`/generators/${id}/rotate-pak`)).toMatchObject({
    status: 403,
    body: { code: 'system_generator_not_a_tenant' },
  });
  for (const path of ['/generators', '/paks']) expect((await host.admin.get(path)).text).not.toContain(id);
  for (const own of [id, admin_generator_id]) {
    expect(await host.admin.delete(`/generators/${own}`)).toMatchObject({ status: 403, body: { code: 'cannot_delete_system_generator' } });
  }
  expect(await ok(host.admin.get(`/generators/${id}`))).toMatchObject({ name: '__system__', is_system: true });
});

test('no answer contains the hash of a key', async () => {
  const agent = await makeAgent(host);
  const generator = await makeGenerator(host);
  for (const path of [
    `/agents/${agent.id}`,
    '/agents',
    `/generators/${generator.id}`,
    '/generators',
    '/paks',
    '/admin/audit-logs?limit=1000',
  ]) {
    const { text } = await host.admin.get(path);
    expect(text).not.toMatch(/hash|credential|[0-9a-f]{64}/);
    for (const pak of [agent.pak, generator.pak, host.adminPak]) expect(text).not.toContain(pak);
  }
});

test('no log line contains a key', async () => {
  const agent = await makeAgent(host);
  await host.anonymous.as('brokkr_BRabcdef_1111111111111111111111111111111111').get('/agents');
  for (const pak of [agent.pak, host.adminPak]) expect(host.logged.filter((line) => line.includes(pak))).toEqual([]);
});
