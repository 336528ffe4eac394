import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type Account, data, makeAccount, refusal, uniqueEmail } from './account-builder.ts';
import { type CollectedMail, collectMail } from './collected-mail.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

let host: TestHost;
let clock: TurningClock;
let mail: CollectedMail;
let owner: Account;
beforeAll(async () => {
  clock = turningClock();
  mail = collectMail();
  host = await startTestHost({ clock, mail });
  owner = await makeAccount(host);
});
afterAll(() => host.stop());

const newOrganization = async (by = owner): Promise<string> => data(await by.api.post('/organizations', { name: 'Acme Corp' })).id;
async function memberOf(organization: string, role: string, by = owner): Promise<Account> {
  const account = await makeAccount(host);
  expect((await by.api.post(`/organizations/${organization}/members`, { email: account.email, role })).status).toBe(201);
  return account;
}
const roleOf = async (organization: string, account: Account, by = owner) => {
  const members: { user_id: string; role: string }[] = data(await by.api.get(`/organizations/${organization}/members?limit=100`));
  return members.find(({ user_id }) => user_id === account.id)?.role;
};
const codeOf = async (answer: ReturnType<Account['api']['get']>) => refusal(await answer).code;

describe('organizations', () => {
  test('a user makes, lists, reads, changes and deletes an organization', async () => {
    const account = await makeAccount(host);
    const made = await account.api.post('/organizations', { name: ' Größe & Co ', description: 'd' });
    expect(made.status).toBe(201);
    const { id, slug } = made.body.data;
    expect(made.headers.location).toBe(`/api/v1/organizations/${id}`);
    expect(made.body.data).toMatchObject({ name: 'Größe & Co', description: 'd', role: 'owner', plan: 'free', status: 'active' });
    expect(slug).toMatch(/^gro-e-co|^grosse-co|^gr-e-co/);
    expect(data(await account.api.get('/organizations?search=GRÖSS'.replace('SS', '%C3%9F')))).toEqual([made.body.data]);
    const list = await account.api.get('/organizations?limit=1&page=2&sort_by=name&sort_dir=asc');
    expect(list.body.meta.pagination).toEqual({ page: 2, page_size: 1, total: 2, total_page: 2, has_next: false, has_prev: true });
    expect(data(await account.api.put(`/organizations/${id}`, { name: 'New' }))).toMatchObject({ name: 'New', description: 'd' });
    expect(data(await account.api.get(`/organizations/${id}`)).name).toBe('New');
    expect(await account.api.delete(`/organizations/${id}`)).toMatchObject({ status: 204, text: '' });
    expect(await codeOf(account.api.get(`/organizations/${id}`))).toBe('ORG_NOT_FOUND');
    expect(data(await account.api.get('/organizations'))).toHaveLength(1);
  });

  test('a page past the end is empty, and a page that is no number, or out of range, is refused', async () => {
    const past = await owner.api.get('/organizations?page=50');
    expect([past.status, past.body.data]).toEqual([200, []]);
    for (const query of ['page=0', 'page=x', 'page=1.5', 'limit=0', 'limit=101', 'sort_by=password', 'sort_dir=up'])
      expect((await owner.api.get(`/organizations?${query}`)).status).toBe(400);
  });

  test('a taken slug is refused, and a slug made of a name gets an ending', async () => {
    const { slug } = data(await owner.api.post('/organizations', { name: 'Twice Named' }));
    expect(await codeOf(owner.api.post('/organizations', { name: 'Other', slug }))).toBe('NAME_ALREADY_EXISTS');
    expect(data(await owner.api.post('/organizations', { name: 'Twice Named' })).slug).toMatch(new RegExp(`^${slug}-\\w+$`));
  });

  test('to a stranger an organization does not exist, and a malformed id is refused as such', async () => {
    const stranger = await makeAccount(host);
    const id = owner.organizationId;
    for (const answer of [
      stranger.api.get(`/organizations/${id}`),
      stranger.api.patch(`/organizations/${id}`, { name: 'Mine' }),
      stranger.api.delete(`/organizations/${id}`),
      stranger.api.get(`/organizations/${id}/members`),
      stranger.api.get(`/organizations/${id}/projects`),
      stranger.api.get('/projects', { headers: { 'x-organization-id': id } }),
    ])
      expect(refusal(await answer)).toEqual({ status: 404, type: 'NOT_FOUND', code: 'ORG_NOT_FOUND' });
    expect((await owner.api.get('/organizations/not-a-ulid')).status).toBe(400);
    expect((await owner.api.get('/projects', { headers: { 'x-organization-id': 'x' } })).status).toBe(400);
  });
});

describe('members', () => {
  test('a user is a member at once; a second time he is one already', async () => {
    const organization = await newOrganization();
    const developer = await memberOf(organization, 'developer');
    expect(data(await developer.api.get(`/organizations/${organization}`)).role).toBe('developer');
    expect(await codeOf(owner.api.post(`/organizations/${organization}/members`, { email: developer.email, role: 'viewer' }))).toBe(
      'ALREADY_A_MEMBER',
    );
  });

  test('only an owner makes owners, takes their role, and removes others', async () => {
    const organization = await newOrganization();
    const [admin, viewer] = [await memberOf(organization, 'admin'), await memberOf(organization, 'viewer')];
    const members = `/organizations/${organization}/members`;
    for (const answer of [
      admin.api.patch(`${members}/${viewer.id}`, { role: 'owner' }),
      admin.api.patch(`${members}/${owner.id}`, { role: 'viewer' }),
      admin.api.patch(`${members}/${admin.id}`, { role: 'owner' }),
      admin.api.post(members, { email: (await makeAccount(host)).email, role: 'owner' }),
      admin.api.post(members, { email: uniqueEmail(), role: 'owner' }),
      admin.api.delete(`${members}/${viewer.id}`),
      viewer.api.delete(`${members}/${admin.id}`),
      viewer.api.get(members),
    ])
      expect(refusal(await answer)).toEqual({ status: 403, type: 'FORBIDDEN', code: 'INSUFFICIENT_PERMISSIONS' });
    expect(data(await admin.api.patch(`${members}/${viewer.id}`, { role: 'developer' })).role).toBe('developer');
    expect((await viewer.api.delete(`${members}/${viewer.id}`)).status).toBe(204);
    expect((await owner.api.delete(`${members}/${admin.id}`)).status).toBe(204);
    expect(await codeOf(admin.api.get(`/organizations/${organization}`))).toBe('ORG_NOT_FOUND');
  });

  test('the last owner can neither leave nor be demoted', async () => {
    const organization = await newOrganization();
    const path = `/organizations/${organization}/members/${owner.id}`;
    for (const answer of [owner.api.patch(path, { role: 'admin' }), owner.api.delete(path)])
      expect(refusal(await answer)).toEqual({ status: 409, type: 'CONFLICT', code: 'LAST_OWNER' });
  });

  test('two owners who demote each other at once leave one owner, in each of ten tries', async () => {
    const organization = await newOrganization();
    const second = await memberOf(organization, 'owner');
    const path = (account: Account) => `/organizations/${organization}/members/${account.id}`;
    for (let n = 0; n < 10; n++) {
      const answers = await Promise.all([
        owner.api.patch(path(second), { role: 'viewer' }),
        second.api.patch(path(owner), { role: 'viewer' }),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
      const winner = answers[0]?.status === 200 ? owner : second;
      const loser = winner === owner ? second : owner;
      expect(await roleOf(organization, winner, winner)).toBe('owner');
      data(await winner.api.patch(path(loser), { role: 'owner' }));
    }
  });

  test('two owners who leave at once leave one owner', async () => {
    const organization = await newOrganization();
    const second = await memberOf(organization, 'owner');
    const answers = await Promise.all(
      [owner, second].map((account) => account.api.delete(`/organizations/${organization}/members/${account.id}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });
});

describe('invitations', () => {
  async function invite(organization: string, email = uniqueEmail(), role = 'developer') {
    const answer = await owner.api.post(`/organizations/${organization}/members`, { email, role });
    return { email, answer, token: mail.tokenFor(email) };
  }
  const accept = (account: Account, token: string) => account.api.post(`/invitations/${token}/accept`);

  test('an unknown address is invited by mail, registers, and accepts', async () => {
    const organization = await newOrganization();
    const { email, answer, token } = await invite(organization);
    expect(answer.status).toBe(202);
    expect(answer.body.data).toMatchObject({ email, role: 'developer', invited_by: owner.id });
    expect(answer.text).not.toContain(token);
    expect(data(await owner.api.get(`/organizations/${organization}/invitations`))).toEqual([answer.body.data]);
    const account = await makeAccount(host, { email });
    expect(data(await accept(account, token))).toMatchObject({ id: organization, role: 'developer' });
    expect(data(await owner.api.get(`/organizations/${organization}/invitations`))).toEqual([]);
  });

  test('an invitation is accepted once, also by two requests at once', async () => {
    const organization = await newOrganization();
    const { email, token } = await invite(organization);
    const account = await makeAccount(host, { email });
    const answers = await Promise.all([accept(account, token), accept(account, token), accept(account, token)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await codeOf(accept(account, token))).toBe('INVITATION_NOT_FOUND');
  });

  test('many invited users who accept at once are all members', async () => {
    const organization = await newOrganization();
    const invited = await Promise.all([1, 2, 3, 4].map(() => invite(organization)));
    const accounts = await Promise.all(invited.map(({ email }) => makeAccount(host, { email })));
    const answers = await Promise.all(accounts.map((account, index) => accept(account, invited[index]?.token ?? '')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(data(await owner.api.get(`/organizations/${organization}/members`))).toHaveLength(5);
  });

  test('an invitation is refused to another address, after its withdrawal, and after seven days', async () => {
    const organization = await newOrganization();
    const [first, second] = [await invite(organization), await invite(organization)];
    expect(await codeOf(accept(await makeAccount(host), first.token))).toBe('INVITATION_NOT_FOUND');
    expect((await owner.api.delete(`/organizations/${organization}/invitations/${first.answer.body.data.id}`)).status).toBe(204);
    expect(await codeOf(accept(await makeAccount(host, { email: first.email }), first.token))).toBe('INVITATION_NOT_FOUND');
    const late = await makeAccount(host, { email: second.email });
    clock.turn(7 * 86_400_000);
    const { email, password } = late;
    const { token } = data(await host.anonymous.post('/auth/login', { email, password }));
    expect(await codeOf(accept({ ...late, api: host.anonymous.as(`Bearer ${token}`) }, second.token))).toBe('INVITATION_NOT_FOUND');
    owner = {
      ...owner,
      api: host.anonymous.as(
        `Bearer ${data(await host.anonymous.post('/auth/login', { email: owner.email, password: owner.password })).token}`,
      ),
    };
  });

  test('an invitation ends with its sender’s right to send it', async () => {
    const organization = await newOrganization();
    const [left, demoted] = [await memberOf(organization, 'admin'), await memberOf(organization, 'owner')];
    const of = async (sender: Account, role: string) => {
      const email = uniqueEmail();
      expect((await sender.api.post(`/organizations/${organization}/members`, { email, role })).status).toBe(202);
      return { account: await makeAccount(host, { email }), token: mail.tokenFor(email) };
    };
    const [ofLeft, asOwner, asViewer] = [await of(left, 'admin'), await of(demoted, 'owner'), await of(demoted, 'viewer')];
    expect((await owner.api.delete(`/organizations/${organization}/members/${left.id}`)).status).toBe(204);
    data(await owner.api.patch(`/organizations/${organization}/members/${demoted.id}`, { role: 'admin' }));
    expect(await codeOf(accept(ofLeft.account, ofLeft.token))).toBe('INVITATION_NOT_FOUND');
    expect(await codeOf(accept(asOwner.account, asOwner.token))).toBe('INVITATION_NOT_FOUND');
    expect(data(await accept(asViewer.account, asViewer.token)).role).toBe('viewer');
  });

  test('a second invitation of an address replaces the first', async () => {
    const organization = await newOrganization();
    const first = await invite(organization);
    const second = await invite(organization, first.email, 'viewer');
    expect(data(await owner.api.get(`/organizations/${organization}/invitations`))).toHaveLength(1);
    const account = await makeAccount(host, { email: first.email });
    expect(await codeOf(accept(account, first.token))).toBe('INVITATION_NOT_FOUND');
    expect(data(await accept(account, second.token)).role).toBe('viewer');
  });
});

describe('users', () => {
  test('strangers who add a user to many organizations do not keep him from making his own', async () => {
    const [stranger, user] = [await makeAccount(host), await makeAccount(host)];
    const answers: number[] = [];
    for (let index = 0; index < 100; index++) {
      const id = index === 0 ? stranger.organizationId : await newOrganization(stranger);
      const added = await stranger.api.post(`/organizations/${id}/members`, { email: user.email, role: 'viewer' });
      answers.push(added.status);
      if (added.status === 409) expect(refusal(added).code).toBe('LIMIT_REACHED');
    }
    expect(answers).toEqual([...Array.from({ length: 99 }, () => 201), 409]);
    expect((await user.api.post('/organizations', { name: 'My own' })).status).toBe(201);
  }, 60_000);

  test('the first project of the default organization is the one that a request without a project means', async () => {
    const account = await makeAccount(host);
    const second = await newOrganization(account);
    data(await account.api.patch('/users/me', { default_organization_id: second }));
    const { project_id } = data(await account.api.post('/api-keys', { name: 'key' }));
    expect(data(await account.api.get(`/projects/${project_id}`)).organization_id).toBe(second);
  });

  test('a user reads and changes his profile', async () => {
    const account = await makeAccount(host, { name: 'Ada' });
    const before = data(await account.api.get('/users/me'));
    expect(before).toMatchObject({ id: account.id, email: account.email, name: 'Ada', avatar_url: null });
    expect(before.default_organization_id).toBe(account.organizationId);
    expect(Object.keys(before)).not.toContain('password');
    const avatar_url = 'https://example.com/a.png';
    expect(data(await account.api.patch('/users/me', { avatar_url }))).toMatchObject({ name: 'Ada', avatar_url });
    expect(data(await account.api.put('/users/me', { name: 'Eve', avatar_url: null }))).toMatchObject({ name: 'Eve', avatar_url: null });
  });

  test.each([
    {},
    { avatar_url: 'http://example.com/a.png' },
    { avatar_url: 'javascript:alert(1)' },
    { name: '' },
    { email: 'new@example.com' },
  ])('a profile can’t be changed by %j', async (change) => {
    expect((await owner.api.patch('/users/me', change)).status).toBe(400);
  });
});
