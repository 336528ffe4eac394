import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, unique } from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stack: { id: string };
beforeAll(async () => {
  host = await startTestHost();
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  stack = await makeStack(host, generator);
});
afterAll(() => host.stop());

const TIMES = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
const generatorWith = (id: string, change: object) =>
  host.admin.put(`/generators/${id}`, { ...TIMES, id, is_active: true, is_system: false, ...change });
const stackWith = ({ id, generator_id }: { id: string; generator_id: string }, change: object) =>
  host.admin.put(`/stacks/${id}`, { ...TIMES, id, generator_id, ...change });

const GOOD_NAMES: Record<string, string> = {
  'one character': 'x',
  '255 characters': 'n'.repeat(255),
  '255 characters of three bytes each': '名'.repeat(255),
  'a text that looks like a path': '../a/b?c#d%2f',
  'separators of our keys': 'STACK#A/B=C',
  'blanks inside': 'my stack',
  'the text __proto__': '__proto__',
};
const BAD_NAMES: Record<string, string> = {
  'no character': '',
  'only blanks': ' \u00a0 ',
  '256 characters': 'n'.repeat(256),
  'a line break': 'a\nb',
  'a zero': 'a\0b',
  'a delete character': 'a\x7fb',
};

/** Makes something with this name and removes it again. */
const NAMED: Record<string, { code: string; field: string; name(name: string): Promise<Answer> }> = {
  'a generator': { code: 'invalid_generator', field: 'name', name: (name) => made('/generators', { name }) },
  'a generator that is renamed': {
    code: 'invalid_generator',
    field: 'name',
    name: async (name) => generatorWith((await makeGenerator(host)).id, { name }).then((answer) => gone('/generators', answer)),
  },
  'a stack': { code: 'invalid_stack', field: 'name', name: (name) => made('/stacks', { name, generator_id: generator.id }) },
  'a stack that is renamed': {
    code: 'invalid_stack',
    field: 'name',
    name: async (name) => stackWith(await makeStack(host, generator), { name }).then((answer) => gone('/stacks', answer)),
  },
  'an agent': { code: 'invalid_agent', field: 'name', name: (name) => made('/agents', { name, cluster_name: '群'.repeat(255) }) },
  'a cluster': { code: 'invalid_agent', field: 'cluster_name', name: (name) => made('/agents', { name: 'a', cluster_name: name }) },
  'an agent that is renamed': {
    code: 'invalid_agent',
    field: 'name',
    name: async (name) => host.admin.put(`/agents/${(await makeAgent(host)).id}`, { name }),
  },
};
const made = async (path: string, body: object) => gone(path, await host.admin.post(path, body));
async function gone(path: string, answer: Answer): Promise<Answer> {
  const { id } = answer.body.generator ?? answer.body.agent ?? answer.body;
  if (id !== undefined) await ok(host.admin.delete(`${path}/${id}`));
  return answer;
}

describe.each(Object.entries(NAMED))('%s', (_what, { code, field, name }) => {
  test.each(Object.entries(GOOD_NAMES))('its name may have %s', async (_rule, text) => {
    expect([200, 201]).toContain((await name(text)).status);
  });
  test.each(Object.entries(BAD_NAMES))('its name may not have %s, and the refusal names the field', async (_rule, text) => {
    expect(await name(text)).toMatchObject({ status: 400, body: { code, message: expect.stringContaining(field) } });
  });
});

const SELECTORS: readonly { what: string; text: string; valid: boolean }[] = [
  { what: '64 characters', text: 'l'.repeat(64), valid: true },
  { what: '64 characters of three bytes each', text: '名'.repeat(64), valid: true },
  { what: 'a colon and a slash', text: 'env:prod/eu', valid: true },
  { what: 'separators of our keys', text: 'A#B=C', valid: true },
  { what: 'empty', text: '', valid: false },
  { what: '65 characters', text: 'l'.repeat(65), valid: false },
  { what: 'a blank', text: 'a b', valid: false },
  { what: 'a tab', text: 'a\tb', valid: false },
  { what: 'a no-break space', text: 'a\u00a0b', valid: false },
  { what: 'a zero', text: 'a\0b', valid: false },
];
const SELECTED: Record<
  string,
  { code: string; mayBeEmpty?: true; put(text: string): Promise<Answer>; remove?(text: string): Promise<Answer> }
> = {
  "an agent's label": {
    code: 'invalid_label',
    put: (label) => host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }),
    remove: (label) => host.admin.delete(`/agents/${agent.id}/labels/${encodeURIComponent(label)}`),
  },
  "a stack's label": {
    code: 'invalid_label',
    put: (label) => host.admin.post(`/stacks/${stack.id}/labels`, label),
    remove: (label) => host.admin.delete(`/stacks/${stack.id}/labels/${encodeURIComponent(label)}`),
  },
  "the key of an agent's annotation": {
    code: 'invalid_annotation',
    put: (key) => host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key, value: 'v' }),
    remove: (key) => host.admin.delete(`/agents/${agent.id}/annotations/${encodeURIComponent(key)}`),
  },
  "the key of a stack's annotation": {
    code: 'invalid_annotation',
    put: (key) => host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key, value: 'v' }),
    remove: (key) => host.admin.delete(`/stacks/${stack.id}/annotations/${encodeURIComponent(key)}`),
  },
  "the value of an agent's annotation": {
    code: 'invalid_annotation',
    mayBeEmpty: true,
    put: (value) => host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key: unique('k'), value }),
  },
  "the value of a stack's annotation": {
    code: 'invalid_annotation',
    put: (value) => host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: unique('k'), value }),
  },
};
describe.each(Object.entries(SELECTED))('%s', (_what, { code, mayBeEmpty, put, remove }) => {
  const isValid = ({ text, valid }: (typeof SELECTORS)[number]) => valid || (mayBeEmpty === true && text === '');
  test.each(SELECTORS.filter(isValid))(
    'a label or annotation that is $what is taken once, and can be removed and added again',
    async ({ text }) => {
      expect(await put(text)).toMatchObject({ status: 201 });
      if (!remove) return;
      expect(await put(text)).toMatchObject({
        status: 409,
        body: { code: 'unique_violation', details: { constraint: expect.any(String) } },
      });
      expect(await remove(text)).toMatchObject({ status: 204 });
      expect(await remove(text)).toMatchObject({ status: 404 });
      expect(await put(text)).toMatchObject({ status: 201 });
      expect(await remove(text)).toMatchObject({ status: 204 });
    },
  );
  test.each(SELECTORS.filter((selector) => !isValid(selector)))(
    'a label or annotation that is $what is refused, and the refusal names the rule',
    async ({ text }) => {
      expect(await put(text)).toMatchObject({ status: 400, body: { code, message: expect.stringMatching(/^(label|key|value) must/) } });
    },
  );
});

test('an agent has at most 64 labels, and a removed one makes room for another', async () => {
  const { id } = await makeAgent(host);
  const add = (label: string) => host.admin.post(`/agents/${id}/labels`, { agent_id: id, label });
  await Promise.all(Array.from({ length: 64 }, (_, n) => ok(add(`label-${n}`))));
  expect(await add('one-more')).toMatchObject({ status: 422, body: { code: 'too_many', message: expect.stringContaining('64') } });
  await ok(host.admin.delete(`/agents/${id}/labels/label-7`));
  expect(await add('one-more')).toMatchObject({ status: 201 });
});

test('a stack has at most 64 labels, and a removed one makes room for another', async () => {
  const { id } = await makeStack(host, generator);
  await Promise.all(Array.from({ length: 64 }, (_, n) => ok(host.admin.post(`/stacks/${id}/labels`, `label-${n}`))));
  expect(await host.admin.post(`/stacks/${id}/labels`, 'one-more')).toMatchObject({ status: 422, body: { code: 'too_many' } });
  await ok(host.admin.delete(`/stacks/${id}/labels/label-7`));
  expect(await host.admin.post(`/stacks/${id}/labels`, 'one-more')).toMatchObject({ status: 201 });
});
