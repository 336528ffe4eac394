import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationKey, gatewayTable } from '../../../lib/ai/gateway-table.ts';
import { NewProvider } from '../../../lib/ai/routing/providers/provider-config.ts';
import { createProvider, removeProvider, updateProvider } from '../../../lib/ai/routing/providers/provider-service.ts';
import type { RoutingCaller } from '../../../lib/ai/routing/routing-ports.ts';
import { openRoutingWorld, type RoutingWorld } from './routing-world.ts';

let world: RoutingWorld;
let caller: RoutingCaller;
let project: string;
beforeAll(async () => {
  world = await openRoutingWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  caller = world.newOrganization();
  project = world.newProject(caller.organization_id);
});

const create = (body: object) => createProvider(world.ports, caller, NewProvider.parse(body));
const settings = () => world.settingsReader()(project);
const OPENAI = { type: 'openai', api_key: 'sk-0123456789abcdefABCD' };

test('a project without configuration has the simulated provider and nothing else', async () => {
  expect((await settings()).providers.map(({ provider_id }) => provider_id)).toEqual(['simulated']);
});

test('a created provider has the id of its type, its default address, and a preview of its key', async () => {
  const made = await create(OPENAI);
  expect(made).toMatchObject({ id: 'openai', name: 'OpenAI', base_url: 'https://api.openai.com/v1', api_key_preview: 'sk-0...ABCD' });
  expect((await settings()).providers[0]).toMatchObject({ provider_id: 'openai', type: 'openai', api_key: OPENAI.api_key });
});

test('the store has no key in clear, and a sealed key that is moved to another provider is not used', async () => {
  await create(OPENAI);
  const stored = await world.database.get(gatewayTable.name, configurationKey(caller.organization_id, 'PROVIDER', 'openai'));
  expect(stored).not.toHaveProperty('api_key');
  const moved = { ...stored, ...configurationKey(caller.organization_id, 'PROVIDER', 'other'), id: 'other' };
  await world.database.write({ table: gatewayTable.name, put: moved });
  expect((await settings()).providers.map(({ provider_id }) => provider_id)).toEqual(['openai', 'simulated']);
  expect(world.logged.join()).toContain('provider_key_not_opened');
  expect(world.logged.join()).not.toContain(OPENAI.api_key);
});

test('a key is opened once by each instance, also if settings are read again', async () => {
  await create(OPENAI);
  const read = world.settingsReader();
  const before = world.keysOpened();
  await read(project);
  await read(project);
  expect(world.keysOpened() - before).toBe(1);
});

describe('refusals', () => {
  test.each([
    ['a second provider of the same id', OPENAI, 'PROVIDER_ALREADY_EXISTS'],
    ['the id of the simulated provider', { ...OPENAI, id: 'simulated' }, 'PROVIDER_ALREADY_EXISTS'],
    ['no key where one is needed', { type: 'anthropic' }, 'REQUIRED_FIELD_MISSING'],
    ['no address where each customer has one', { type: 'azure', api_key: 'k' }, 'REQUIRED_FIELD_MISSING'],
    ['a forbidden address', { type: 'openai-compatible', base_url: 'http://169.254.169.254' }, 'INVALID_INPUT'],
    ['a preset of another type', { ...OPENAI, id: 'x', preset: 'groq' }, 'INVALID_INPUT'],
  ])('refuses %s', async (_case, body, code) => {
    await create(OPENAI);
    await expect(create(body)).rejects.toMatchObject({ code });
  });

  test.each([
    [{ ...OPENAI, colour: 'red' }, 'colour'],
    [{ ...OPENAI, models: [{ id: 'm', input_price: 1 }] }, 'input_price'],
    [{ ...OPENAI, weight: 101 }, 'weight'],
    [{ ...OPENAI, id: 'a/b' }, 'id'],
    [{ ...OPENAI, models: ['m', 'm'] }, 'models'],
    [{ ...OPENAI, models: [{ id: 'm', prices: { input: -1 } }] }, 'input'],
  ])('a member that is unknown or out of range is refused by its name', (body, member) => {
    const result = NewProvider.safeParse(body);
    expect(result.error?.message).toContain(member);
  });

  test('an address on another server needs the key again, so that nobody can send the stored key to a server of his own', async () => {
    await create(OPENAI);
    await expect(updateProvider(world.ports, caller, 'openai', { base_url: 'https://evil.example/v1' })).rejects.toMatchObject({
      code: 'REQUIRED_FIELD_MISSING',
    });
    await updateProvider(world.ports, caller, 'openai', { base_url: 'https://eu.example/v1', api_key: 'sk-new' });
    expect((await settings()).providers[0]).toMatchObject({ base_url: 'https://eu.example/v1', api_key: 'sk-new' });
  });

  test('another organization’s provider is unknown', async () => {
    await create(OPENAI);
    const stranger = world.newOrganization();
    await expect(updateProvider(world.ports, stranger, 'openai', { weight: 2 })).rejects.toMatchObject({ code: 'PROVIDER_NOT_FOUND' });
    await expect(removeProvider(world.ports, stranger, 'openai')).rejects.toMatchObject({ code: 'PROVIDER_NOT_FOUND' });
  });
});

test('of two changes at once, both are stored one after the other or one is refused', async () => {
  await create(OPENAI);
  const changes = await Promise.allSettled([
    updateProvider(world.ports, caller, 'openai', { weight: 10 }),
    updateProvider(world.ports, caller, 'openai', { priority: 5 }),
  ]);
  const refused = changes.filter(({ status }) => status === 'rejected');
  for (const refusal of refused) expect(refusal).toMatchObject({ reason: { code: 'VERSION_CONFLICT' } });
  const [provider] = (await settings()).providers;
  expect([provider?.weight === 10, provider?.priority === 5].filter(Boolean)).toHaveLength(2 - refused.length);
});

test('a provider of one project is not seen by another', async () => {
  const other = world.newProject(caller.organization_id);
  await create({ ...OPENAI, project_id: other });
  expect((await settings()).providers).toHaveLength(1);
  expect((await world.settingsReader()(other)).providers).toHaveLength(2);
});

test('a removed provider is gone, and its id can be used again', async () => {
  await create(OPENAI);
  await removeProvider(world.ports, caller, 'openai');
  expect((await settings()).providers).toHaveLength(1);
  await create(OPENAI);
});

test('an entry of configuration that cannot be read leaves the others working', async () => {
  await create(OPENAI);
  const broken = { ...configurationKey(caller.organization_id, 'PROVIDER', 'broken'), type: 'provider', id: 'broken' };
  await world.database.write({ table: gatewayTable.name, put: broken });
  expect((await settings()).providers.map(({ provider_id }) => provider_id)).toEqual(['openai', 'simulated']);
});
