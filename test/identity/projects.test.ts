import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Account, data, makeAccount, refusal } from './account-builder.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

let host: TestHost;
let clock: TurningClock;
let owner: Account;
beforeAll(async () => {
  clock = turningClock();
  host = await startTestHost({ clock });
  owner = await makeAccount(host);
});
afterAll(() => host.stop());

const projectsOf = (account: Account) => `/organizations/${account.organizationId}/projects`;
let made = 0;
const newProject = async (given: object = {}) => data(await owner.api.post(projectsOf(owner), { name: `project ${++made}`, ...given }));
const validate = (key: string) => host.root.post('/v1/auth/validate-key', undefined, { headers: { 'x-api-key': key } });

describe('projects', () => {
  test('a new organization has one project, and further ones are made by either path', async () => {
    const account = await makeAccount(host);
    expect(data(await account.api.get(projectsOf(account)))).toMatchObject([{ name: 'Default', slug: 'default', status: 'active' }]);
    const one = await account.api.post(projectsOf(account), { name: 'One' });
    expect(one.status).toBe(201);
    expect(one.body.data).toMatchObject({
      organization_id: account.organizationId,
      slug: 'one',
      description: null,
      cache: { strategy: 'disabled', ttl_seconds: 3600, similarity_threshold: 0.95, embedding_model: null },
      capture: 'metadata',
      redact: [],
    });
    const two = data(await account.api.post('/projects', { name: 'Two', organization_id: account.organizationId }));
    expect(data(await account.api.get('/projects?sort_by=name&sort_dir=asc')).map(({ name }: { name: string }) => name)).toEqual([
      'Default',
      'One',
      'Two',
    ]);
    expect(data(await account.api.get(`/projects?organization_id=${account.organizationId}&search=tw`))).toEqual([two]);
  });

  test('two projects of one organization can’t have one slug; those of two organizations can', async () => {
    await newProject({ slug: 'web' });
    expect(refusal(await owner.api.post(projectsOf(owner), { name: 'Web', slug: 'web' })).code).toBe('NAME_ALREADY_EXISTS');
    const other = await makeAccount(host);
    data(await other.api.post(projectsOf(other), { name: 'Web', slug: 'web' }));
  });

  test('several projects that are made at once are all there, and counted', async () => {
    const account = await makeAccount(host);
    const answers = await Promise.all([1, 2, 3, 4].map((n) => account.api.post(projectsOf(account), { name: `P${n}` })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect((await account.api.get(projectsOf(account))).body.meta.pagination.total).toBe(5);
  });

  test('a project’s settings change one by one', async () => {
    const { id } = await newProject();
    const change = (body: object) => owner.api.patch(`/projects/${id}`, body);
    expect(data(await change({ cache: { strategy: 'exact', ttl_seconds: 60 } })).cache).toEqual({
      strategy: 'exact',
      ttl_seconds: 60,
      similarity_threshold: 0.95,
      embedding_model: null,
    });
    const after = data(await change({ capture: 'full', redact: ['/messages/0/content'], description: null }));
    expect(after).toMatchObject({ capture: 'full', redact: ['/messages/0/content'], cache: { strategy: 'exact' } });
  });

  test.each([
    [{}, 'body'],
    [{ captures: 'full' }, 'captures'],
    [{ cache: { ttl: 5 } }, 'cache.ttl'],
    [{ cache: { ttl_seconds: 0 } }, 'cache.ttl_seconds'],
    [{ cache: { similarity_threshold: 1.1 } }, 'cache.similarity_threshold'],
    [{ capture: 'some' }, 'capture'],
    [{ redact: ['messages'] }, 'redact.0'],
    [{ status: 'gone' }, 'status'],
  ])('the change %j is refused and names %s', async (change, field) => {
    const { id } = await newProject();
    const answer = await owner.api.patch(`/projects/${id}`, change);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.field).toBe(field);
  });
});

describe('the keys of a project', () => {
  test.each(['paused', 'archived'])(
    'the keys of a project that is %s are refused with 403 within five seconds, and work again later',
    async (status) => {
      const { id } = await newProject();
      const { key } = data(await owner.api.post(`/projects/${id}/api-keys`, { name: 'key' }));
      data(await validate(key));
      data(await owner.api.patch(`/projects/${id}`, { status }));
      clock.turn(5_000);
      expect(refusal(await validate(key))).toEqual({ status: 403, type: 'FORBIDDEN', code: 'PROJECT_INACTIVE' });
      data(await owner.api.patch(`/projects/${id}`, { status: 'active' }));
      clock.turn(5_000);
      data(await validate(key));
    },
  );

  test('the keys of a removed project or organization are refused within five seconds', async () => {
    const account = await makeAccount(host);
    const { id } = data(await account.api.post(projectsOf(account), { name: 'Gone' }));
    const ofProject = data(await account.api.post(`/projects/${id}/api-keys`, { name: 'key' })).key;
    const ofDefault = data(await account.api.post('/api-keys', { name: 'key' })).key;
    for (const key of [ofProject, ofDefault]) data(await validate(key));
    expect((await account.api.delete(`/projects/${id}`)).status).toBe(204);
    expect(refusal(await account.api.get(`/projects/${id}`)).code).toBe('PROJECT_NOT_FOUND');
    clock.turn(5_000);
    expect((await validate(ofProject)).status).toBe(401);
    data(await validate(ofDefault));
    expect((await account.api.delete(`/organizations/${account.organizationId}`)).status).toBe(204);
    clock.turn(5_000);
    expect((await validate(ofDefault)).status).toBe(401);
    expect((await account.api.post('/api-keys', { name: 'key' })).status).toBe(404);
  });

  test('a key that is made while its project is removed either is refused or never works', async () => {
    for (let n = 0; n < 5; n++) {
      const { id } = await newProject();
      const [created] = await Promise.all([
        owner.api.post(`/projects/${id}/api-keys`, { name: 'late' }),
        owner.api.delete(`/projects/${id}`),
      ]);
      clock.turn(5_000);
      if (created?.status === 201) expect((await validate(created.body.data.key)).status).toBe(401);
      else expect([404, 409]).toContain(created?.status);
    }
  });
});

describe('Idempotency-Key', () => {
  const withKey = (key: string) => ({ headers: { 'idempotency-key': key } });

  test.each([
    ['/api-keys', { name: 'once' }],
    ['/organizations', { name: 'Once' }],
    ['/projects', { name: 'Once' }],
  ])('a creation at %s that is repeated with its key is made once and answered alike', async (path, body) => {
    const account = await makeAccount(host);
    const answers = await Promise.all([1, 2, 3].map(() => account.api.post(path, body, withKey('k1'))));
    const later = await account.api.post(path, body, withKey('k1'));
    for (const answer of [...answers, later]) {
      expect(answer.status).toBe(201);
      expect(answer.body.data).toEqual(later.body.data);
    }
    const list: { name: string }[] = data(await account.api.get(path));
    expect(list.filter(({ name }) => name === body.name)).toHaveLength(1);
  });

  test('the same key with another request is a conflict; of another user, or a day later, it is new', async () => {
    const account = await makeAccount(host);
    data(await account.api.post('/projects', { name: 'One' }, withKey('k2')));
    expect(refusal(await account.api.post('/projects', { name: 'Two' }, withKey('k2')))).toEqual({
      status: 409,
      type: 'CONFLICT',
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const other = await makeAccount(host);
    data(await other.api.post('/projects', { name: 'Two' }, withKey('k2')));
    clock.turn(86_400_000);
    const { token } = data(await host.anonymous.post('/auth/login', { email: account.email, password: account.password }));
    data(await host.anonymous.as(`Bearer ${token}`).post('/projects', { name: 'Two' }, withKey('k2')));
  });

  test('a malformed key is refused, and a refused creation may be repeated', async () => {
    const account = await makeAccount(host);
    for (const key of ['x'.repeat(256), 'x'.repeat(10_000), 'two words', '']) {
      const { status, body } = await account.api.post('/projects', { name: 'One' }, withKey(key));
      expect([status, body.error.details.field]).toEqual([400, 'Idempotency-Key']);
    }
    expect((await account.api.post('/projects', { name: 'x' }, withKey('k3'))).status).toBe(400);
    data(await account.api.post('/projects', { name: 'One' }, withKey('k3')));
  });
});
