import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, unique } from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let other: MadeGenerator;
beforeAll(async () => {
  host = await startTestHost();
  [generator, other] = [await makeGenerator(host), await makeGenerator(host)];
});
afterAll(() => host.stop());

const TIMES = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
interface Named {
  path: string;
  create(name: string): Promise<Answer>;
  rename(id: string, name: string): Promise<Answer>;
  idOf(body: Answer['body']): string;
}
const KINDS: Record<string, Named> = {
  generator: {
    path: '/generators',
    create: (name) => host.admin.post('/generators', { name }),
    rename: (id, name) => host.admin.put(`/generators/${id}`, { ...TIMES, id, name, is_active: true, is_system: false }),
    idOf: ({ generator: { id } }) => id,
  },
  stack: {
    path: '/stacks',
    create: (name) => generator.api.post('/stacks', { name, generator_id: generator.id }),
    rename: (id, name) => generator.api.put(`/stacks/${id}`, { ...TIMES, id, name, generator_id: generator.id }),
    idOf: ({ id }) => id,
  },
  agent: {
    path: '/agents',
    create: (name) => host.admin.post('/agents', { name, cluster_name: 'one-cluster' }),
    rename: (id, name) => host.admin.put(`/agents/${id}`, { name }),
    idOf: ({ agent: { id } }) => id,
  },
};
const TAKEN = { status: 409, body: { code: 'unique_violation', details: { constraint: expect.any(String) } } };

describe.each(Object.entries(KINDS))('the name of a kind of thing (%s)', (_kind, { path, create, rename, idOf }) => {
  const remove = (id: string) => ok(host.admin.delete(`${path}/${id}`));

  test('a name is given to exactly one of twenty requests at once', async () => {
    const name = unique('wanted');
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(name)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect(answers.filter(({ status }) => status === 409).every(({ body }) => body.code === 'unique_violation')).toBe(true);
  });

  test('a name can be used again after its owner is deleted, by creation and by renaming', async () => {
    const name = unique('again');
    const first = idOf(await ok(create(name)));
    expect(await create(name)).toMatchObject(TAKEN);
    await remove(first);
    const second = idOf(await ok(create(name)));
    await remove(second);
    const third = idOf(await ok(create(unique('other'))));
    expect(await rename(third, name)).toMatchObject({ status: 200, body: { name } });
    expect(await create(name)).toMatchObject(TAKEN);
  });

  test('a renaming frees the old name and takes the new one', async () => {
    const [before, after] = [unique('before'), unique('after')];
    const id = idOf(await ok(create(before)));
    await ok(rename(id, after));
    expect(await create(after)).toMatchObject(TAKEN);
    const heir = idOf(await ok(create(before)));
    expect(await rename(heir, after)).toMatchObject(TAKEN);
    expect(await rename(heir, before)).toMatchObject({ status: 200 });
  });

  test('many deletions of one thing at once cause no internal error', async () => {
    const id = idOf(await ok(create(unique('short-lived'))));
    const answers = await Promise.all(Array.from({ length: 10 }, () => host.admin.delete(`${path}/${id}`)));
    expect(answers.filter(({ status }) => status !== 204 && status !== 404).map(({ text }) => text)).toEqual([]);
    expect(answers.some(({ status }) => status === 204)).toBe(true);
  });
});

test('many deletions of one agent at once are all answered with 204', async () => {
  const { id } = await makeAgent(host);
  const answers = await Promise.all(Array.from({ length: 10 }, () => host.admin.delete(`/agents/${id}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
});

test('two generators may have stacks of one name, and no refusal shows the other stack', async () => {
  const name = unique('web');
  const mine = await makeStack(host, generator, { name });
  expect(await other.api.post('/stacks', { name, generator_id: other.id })).toMatchObject({ status: 201 });
  const { status, text } = await other.api.post('/stacks', { name, generator_id: other.id });
  expect(status).toBe(409);
  expect(text).not.toContain(mine.id);
});

test('two clusters may have agents of one name', async () => {
  const name = unique('agent');
  for (const cluster_name of ['one', 'two'])
    expect(await host.admin.post('/agents', { name, cluster_name })).toMatchObject({ status: 201 });
});

test("an agent's name and cluster are kept apart, wherever one of them ends", async () => {
  for (const [name, cluster_name] of [
    ['a/b', 'c'],
    ['b', 'c/a'],
    ['a', 'b/c'],
    ['a%2Fb', 'c'],
  ]) {
    expect(await host.admin.post('/agents', { name, cluster_name })).toMatchObject({ status: 201 });
  }
});

describe('a PUT of a whole entity', () => {
  const EVIL = { deleted_at: '2020-01-01T00:00:00Z', created_at: '2020-01-01T00:00:00Z', updated_at: '2020-01-01T00:00:00Z' };

  test('a PUT changes only the name and the description of a generator', async () => {
    const { id, api } = await makeGenerator(host);
    const before = await ok(api.get(`/generators/${id}`));
    const change = {
      ...EVIL,
      id,
      name: before.name,
      description: 'd',
      is_active: false,
      is_system: true,
      last_active_at: '2020-01-01T00:00:00Z',
      pak_hash: 'x',
    };
    const after = await ok(api.put(`/generators/${id}`, change));
    expect(after).toEqual({ ...before, description: 'd', updated_at: expect.any(String) });
    expect(await ok(api.get(`/generators/${id}`))).toEqual(after);
    expect(after.updated_at >= before.updated_at).toBe(true);
  });

  test('a PUT changes only the name and the description of a stack', async () => {
    const stack = await makeStack(host, generator);
    const before = await ok(generator.api.get(`/stacks/${stack.id}`));
    const name = unique('renamed');
    const change = { ...EVIL, id: stack.id, name, description: 'd', generator_id: other.id, latest_sequence: 99, version: 7 };
    const after = await ok(generator.api.put(`/stacks/${stack.id}`, change));
    expect(after).toEqual({ ...before, name, description: 'd', updated_at: expect.any(String) });
    expect(await other.api.get(`/stacks/${stack.id}`)).toMatchObject({ status: 403 });
    expect(await ok(generator.api.get('/stacks'))).toContainEqual(after);
  });

  test('a PUT keeps the id, the times and the key of an agent', async () => {
    const agent = await makeAgent(host);
    const before = await ok(agent.api.get(`/agents/${agent.id}`));
    const change = {
      ...EVIL,
      id: generator.id,
      status: 'DRAINING',
      revision: 'none',
      credential_version: 9,
      k8s_reachable: true,
      pak_hash: 'x',
    };
    const after = await ok(host.admin.put(`/agents/${agent.id}`, change));
    expect(after).toEqual({ ...before, status: 'DRAINING', updated_at: expect.any(String) });
    expect(await agent.api.get(`/agents/${agent.id}`)).toMatchObject({ status: 200, body: after });
  });
});

test('null clears a description, and a PUT without it leaves it', async () => {
  const { id } = await makeGenerator(host);
  const whole = { ...TIMES, id, name: unique('g'), is_active: true, is_system: false };
  expect(await ok(host.admin.put(`/generators/${id}`, { ...whole, description: 'said' }))).toMatchObject({ description: 'said' });
  expect(await ok(host.admin.put(`/generators/${id}`, whole))).toMatchObject({ description: 'said' });
  expect(await ok(host.admin.put(`/generators/${id}`, { ...whole, description: null }))).toMatchObject({ description: null });

  const stack = await makeStack(host, generator);
  const bundle = { ...TIMES, id: stack.id, name: stack.name, generator_id: generator.id };
  expect(await ok(host.admin.put(`/stacks/${stack.id}`, { ...bundle, description: 'said' }))).toMatchObject({ description: 'said' });
  expect(await ok(host.admin.put(`/stacks/${stack.id}`, bundle))).toMatchObject({ description: 'said' });
  expect(await ok(host.admin.put(`/stacks/${stack.id}`, { ...bundle, description: null }))).toMatchObject({ description: null });
});
