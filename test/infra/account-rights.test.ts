import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { handler as cleanUp } from '../../functions/consumers/account-clean-up-function.ts';
import { messageQueues } from '../../functions/message-queues.ts';
import { fallbackGroup, httpGroups, tables } from '../../functions/registry.ts';
import { createRuntime, type Runtime, setRuntime } from '../../functions/runtime.ts';
import { store } from '../../functions/store.ts';
import { createQueues } from '../../infra/host/engines/create-queues.ts';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { startEmbeddedSqs } from '../../infra/host/engines/embedded-sqs.ts';
import { ACCOUNT_CLEAN_UP_QUEUE, accountRemoved } from '../../lib/identity/removal/account-removed.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { encodeEnvelope } from '../../lib/platform/events/envelope.ts';
import { newId } from '../../lib/platform/ids.ts';
import { createLog } from '../../lib/platform/log.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { type AccountRow, accountRows, PUBLIC } from '../contract/account-rows.ts';
import { type AccountWorld, makeAccountWorld, signInAgain } from '../contract/account-world.ts';
import { data, makeAccount, uniqueEmail } from '../identity/account-builder.ts';
import { collectMail } from '../identity/collected-mail.ts';
import { turningClock } from '../identity/turning-clock.ts';
import { apiOver, createGateway } from './gateway.ts';
import { type GuardedEngines, guardEngines } from './guarded-engines.ts';
import { sqsEvent } from './sqs-event.ts';

const PREFIX = 'brokkr-dev';
const { logicalName } = createRequire(import.meta.url)('../../infra/resources/names.cjs');
const log = createLog({ level: 'error', write: () => {} });
/** The functions whose rights this test knows whole. It runs the endpoints of others too, for missing rights. */
const OWN = ['auth', 'organizations', 'projects', 'api-keys', 'account-clean-up'];

/** The dashboard's functions as AWS runs them: each with its own composition and its own role. */
describe('the functions of accounts under their roles', () => {
  const mail = collectMail();
  // A new minute now and then, so that the limits count requests and refuse none.
  const clock = turningClock();
  let calls = 0;
  const runtimes = new Map<string, Runtime>();
  const undo: (() => unknown)[] = [];
  let guard: GuardedEngines;
  let world: AccountWorld;

  // Functions find their composition in a variable of a module, so only one call runs at a time.
  let last: Promise<unknown> = Promise.resolve();
  function run<T>(name: string, act: () => Promise<T>): Promise<T> {
    const next = last.then(() => {
      if (++calls % 12 === 0) clock.turn(61_000);
      const config = loadConfig({
        BROKKR_PREFIX: PREFIX,
        BROKKR_JWT_SECRET: 'a secret of at least 32 characters',
        ALLOW_PRIVATE_UPSTREAMS: '1',
        ...guard.addressesOf(name),
      });
      const runtime = runtimes.get(name) ?? createRuntime(config, { log, mail, clock });
      runtimes.set(name, runtime);
      setRuntime(runtime);
      return act();
    });
    last = next.catch(() => {});
    return next;
  }
  const gateway = createGateway(httpGroups, fallbackGroup);
  const root = apiOver(
    (...request) => {
      const { group, event } = gateway(...request);
      return run(group.name, () => group.handler(event));
    },
    undefined,
    '',
  );
  const anonymous = apiOver((...request) => {
    const { group, event } = gateway(...request);
    return run(group.name, () => group.handler(event));
  });

  beforeAll(async () => {
    const [dynamodb, queues] = await Promise.all([startEmbeddedDynamoDb(), startEmbeddedSqs()]);
    const sqs = sqsClient({ endpoint: queues.endpoint });
    undo.push(dynamodb.stop, queues.stop, () => sqs.destroy());
    await createQueues(sqs, [ACCOUNT_CLEAN_UP_QUEUE], (name) => `${PREFIX}-${name}`);
    const client = dynamoDbClient({ endpoint: dynamodb.endpoint });
    undo.push(() => client.destroy());
    await createTables(client, tables, (name) => `${PREFIX}-${name}`);
    guard = await guardEngines({
      engines: { dynamodb: dynamodb.endpoint, sqs: queues.endpoint },
      functions: [...httpGroups.map(({ name }) => name), 'account-clean-up'],
      logicalName,
      prefix: PREFIX,
    });
    undo.push(guard.close);
    world = await makeAccountWorld({ anonymous });
  }, 60_000);
  afterAll(async () => {
    for (const runtime of runtimes.values()) {
      messageQueues(runtime).close();
      store(runtime).close();
    }
    for (const step of undo.toReversed()) await step();
  });

  const rows = httpGroups.flatMap(({ endpoints }) =>
    endpoints.flatMap((endpoint) => {
      const row: AccountRow | typeof PUBLIC | undefined = accountRows[endpoint.id];
      return row === undefined || row === PUBLIC ? [] : [{ title: `${endpoint.method} ${endpoint.path}`, endpoint, row }];
    }),
  );
  test.each(rows)('$title works with the rights of its function', async ({ endpoint, row }) => {
    const params = (await row.params?.(world)) ?? {};
    const path = endpoint.path.replaceAll(/{(\w+)}/g, (_all, name: string) => params[name] ?? 'x');
    const headers = { authorization: `Bearer ${world.users.owner.token}`, ...row.headers?.(world) };
    const { status, text } = await root.send(endpoint.method, `${path}${row.query?.(world) ?? ''}`, row.body?.(world), { headers });
    expect({ status, text }).toEqual({ status: row.statuses[0], text });
    if (['logout', 'revoke_all_sessions'].includes(endpoint.id)) await signInAgain(world, 'owner');
  });

  test('signing in and out, new passwords, invitations and repeated creations work with the rights of their functions', async () => {
    const account = await makeAccount({ anonymous });
    const { refresh_token } = data(await anonymous.post('/auth/refresh', { refresh_token: account.refreshToken }));
    data(await anonymous.post('/auth/refresh', { refresh_token }));
    expect((await anonymous.post('/auth/login', { email: account.email, password: 'wrong password' })).status).toBe(401);
    data(await anonymous.post('/auth/forgot-password', { email: account.email }));
    data(await anonymous.post('/auth/reset-password', { token: mail.tokenFor(account.email), password: 'a new password' }));
    data(await root.post('/v1/auth/validate-key', undefined, { headers: { 'x-api-key': world.key.key } }));

    const { owner } = world.users;
    const email = uniqueEmail();
    const invite = () => owner.api.post(`/organizations/${world.organization}/members`, { email, role: 'viewer' });
    expect([(await invite()).status, (await invite()).status]).toEqual([202, 202]);
    const invited = await makeAccount({ anonymous }, { email });
    data(await invited.api.post(`/invitations/${mail.tokenFor(email)}/accept`));
    for (const path of ['/api-keys', '/projects', '/organizations'])
      for (let times = 0; times < 2; times++)
        data(await owner.api.post(path, { name: 'Repeated' }, { headers: { 'idempotency-key': path } }));
    const budget = { scope: 'organization', scope_id: owner.organizationId, period: 'week', limit_usd: 5 };
    for (let times = 0; times < 2; times++) data(await owner.api.post('/budgets', budget, { headers: { 'idempotency-key': 'budget' } }));
  });

  test('what a removed organization leaves is cleared away with the rights of its function', async () => {
    const { organizationId: organization_id, api } = await makeAccount({ anonymous });
    data(await api.post('/routing/providers', { type: 'openai', api_key: 'sk-1234567890' }));
    data(await api.post('/api-keys', { name: 'first' }));
    expect((await api.delete(`/organizations/${organization_id}`)).status).toBe(204);
    const body = encodeEnvelope({ id: newId(), event: accountRemoved.name, data: { kind: 'organization', organization_id } });
    // A message that nobody can read goes to the dead-letter queue.
    const answer = await run('account-clean-up', () => cleanUp(sqsEvent({ id: 'm', body }, { id: 'n', body: '?' })));
    expect(answer).toEqual({ batchItemFailures: [] });
  });

  test('no function needed a right that its role lacks', () => {
    expect([...guard.refused]).toEqual([]);
  });

  test('no role of accounts has a right that its function never needed', () => {
    expect(guard.unused().filter((right) => OWN.includes(right.split(' ')[0] ?? ''))).toEqual([]);
  });
});
