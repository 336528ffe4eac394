import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accountCleanUp } from '../../functions/consumers/account-clean-up.ts';
import { accountCleanUpServices } from '../../functions/consumers/account-clean-up-services.ts';
import { tables } from '../../functions/registry.ts';
import { ACCOUNT_CLEAN_UP_QUEUE } from '../../lib/identity/removal/account-removed.ts';
import type { Item } from '../../lib/platform/database/database.ts';
import { isExpired } from '../../lib/platform/database/table.ts';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { scanTable } from '../harness/scan-table.ts';
import { type Account, data, makeAccount, uniqueEmail } from './account-builder.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

/** By then everything that expires is gone. */
const LATER_MS = 10 * 366 * 86_400_000;
let host: TestHost;
let clock: TurningClock;
let queues: DrivenQueues;
beforeAll(async () => {
  clock = turningClock();
  host = await startTestHost({ clock, functions: { queueGroups: [], scheduleGroups: [] } });
  // The consumer has services of its own; the fleet's are those of the queues.
  queues = driveQueues(host.app.services, {
    [ACCOUNT_CLEAN_UP_QUEUE]: (_fleet, event, delivery) => accountCleanUp.handle(accountCleanUpServices().services, event, delivery),
  });
});
afterAll(() => host.stop());

/** The items that name one of these and never expire. */
async function remainsOf(...ids: string[]): Promise<string[]> {
  const items = (await Promise.all(tables.map(async ({ name }): Promise<Item[]> => scanTable(host, name)))).flat();
  return items
    .filter((item) => !isExpired(item, clock.nowMs() + LATER_MS) && ids.some((id) => JSON.stringify(item).includes(id)))
    .map(({ pk, sk }) => `${pk} ${sk}`)
    .sort();
}

/** The sweep finds the removal's event when no request that began before it can be under way any more. */
async function clearAway(): Promise<void> {
  clock.turn(60_000);
  await queues.sweep();
  await queues.drain();
}

/** An account whose organization has one of everything. */
async function furnished(): Promise<{ account: Account; project: string; key: string }> {
  const account = await makeAccount(host);
  const { api } = account;
  const project = data(await api.post(`/organizations/${account.organizationId}/projects`, { name: 'Second' })).id;
  const { key, id } = data(await api.post('/api-keys', { name: 'first', project_id: project }));
  for (const [scope, scope_id] of [
    ['project', project],
    ['api_key', id],
    ['organization', account.organizationId],
  ])
    data(await api.post('/budgets', { scope, scope_id, period: 'day', limit_usd: 1 }));
  data(await api.put(`/projects/${project}/routing-policy`, { priority: 'cost' }));
  const provider = { type: 'openai', api_key: 'sk-1234567890' };
  data(await api.post('/routing/providers', { ...provider, id: 'all' }));
  data(await api.post('/routing/providers', { ...provider, id: 'one', project_id: project }));
  data(await api.post(`/organizations/${account.organizationId}/members`, { email: uniqueEmail(), role: 'viewer' }));
  return { account, project, key };
}
const audits = (remains: readonly string[]) => remains.filter((key) => !key.startsWith('AUDIT'));

test('a revoked key leaves no budget of its own, and takes no other one along', async () => {
  const { account, project } = await furnished();
  const [key] = data(await account.api.get(`/api-keys?project_id=${project}`));
  expect((await account.api.delete(`/api-keys/${key.id}`)).status).toBe(204);
  await clearAway();
  const scopes = data(await account.api.get('/budgets')).map(({ scope }: { scope: string }) => scope);
  expect(scopes.sort()).toEqual(['organization', 'project']);
  expect(audits(await remainsOf(key.id))).toEqual([]);
});

test('a removed project leaves nothing, and its organization keeps everything else', async () => {
  const { account, project, key } = await furnished();
  expect((await account.api.delete(`/projects/${project}`)).status).toBe(204);
  expect(await remainsOf(project)).not.toEqual([]);
  await clearAway();
  expect(audits(await remainsOf(project, key))).toEqual([]);
  expect(data(await account.api.get('/routing/providers')).map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(['all']));
  expect(data(await account.api.get('/budgets'))).toHaveLength(1);
});

test('a removed organization leaves nothing: no member, invitation, project, key or sealed secret', async () => {
  const { account } = await furnished();
  const { api } = account;
  const other = data(await api.post('/organizations', { name: 'Keeps its things' }));
  const organization = account.organizationId;
  const projects = data(await api.get(`/organizations/${organization}/projects`)).map(({ id }: { id: string }) => id);
  expect(projects).toHaveLength(2);
  expect((await api.delete(`/organizations/${organization}`)).status).toBe(204);
  await clearAway();
  // Its projects have messages of their own.
  await clearAway();
  // A user remembers the organization that a request without one means.
  const others = audits(await remainsOf(organization, ...projects)).filter((key) => key !== `USER#${account.id} USER`);
  expect(others).toEqual([]);
  expect(data(await api.get(`/organizations/${other.id}/projects`))).toHaveLength(1);
});

test('a clean-up that was interrupted goes on where it stopped, and a second one changes nothing', async () => {
  const { account, project } = await furnished();
  await account.api.delete(`/projects/${project}`);
  clock.turn(60_000);
  await queues.sweep();
  const [message] = queues.messages;
  if (!message) throw new Error('nothing was announced');
  const { database } = accountCleanUpServices().services;
  const write = database.write;
  let left = 2;
  database.write = (...args) => (left-- > 0 ? write(...args) : Promise.reject(new Error('the process dies')));
  expect(await queues.deliver(message)).toBe(false);
  database.write = write;
  expect(await remainsOf(project)).not.toEqual([]);
  await queues.drain();
  await queues.deliver(message);
  expect(audits(await remainsOf(project))).toEqual([]);
});
