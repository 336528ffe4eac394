import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeGenerator, makeStack, ok, pagesOf, submit } from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let stack: { id: string };
let path: string;
beforeAll(async () => {
  host = await startTestHost();
  generator = await makeGenerator(host);
});
afterAll(() => host.stop());
beforeEach(async () => {
  stack = await makeStack(host, generator);
  path = `/stacks/${stack.id}/deployment-objects`;
});

const LIMIT = 4 * 1024 * 1024;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const comment = (text: string, bytes: number) => `a: 1\n# ${text.repeat(bytes)}`.slice(0, bytes);

describe('a stored text', () => {
  const TEXTS: Record<string, string> = {
    'a manifest': configMap('one'),
    'lines that end as on Windows': 'a: 1\r\nb: 2\r\n',
    'no end of line': 'a: 1',
    'many ends of lines': '\n\n\na: 1\n\n\n',
    umlauts: 'data: {k: "ü"}\n',
    'characters beyond the basic plane': 'a: "😀 𝕏"\n',
    'a byte order mark': '\ufeffa: 1\n',
    'a line separator': 'a: "x\u2028y"\n',
    'documents and empty documents': '---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n',
    'a bare scalar': 'test yaml',
    'tabs and trailing blanks': 'a: "\t"   \n   \n',
    'four MiB': comment('x', LIMIT),
    'four MiB that cannot be compressed': `a: ${randomBytes(LIMIT).toString('base64')}`.slice(0, LIMIT),
  };
  test.each(Object.entries(TEXTS))('%s: the text comes back byte for byte, with the checksum of these bytes', async (_what, yaml) => {
    const wire = { yaml_content: yaml, yaml_checksum: sha256(yaml), is_deletion_marker: false, deleted_at: null };
    const asJson = await ok(generator.api.post(path, { yaml_content: yaml }));
    expect(asJson).toMatchObject(wire);
    const asYaml = await ok(generator.api.post(path, yaml, { contentType: 'application/yaml' }));
    expect(asYaml).toMatchObject(wire);
    expect(await ok(generator.api.get(`/deployment-objects/${asJson.id}`))).toEqual(asJson);
    expect(await ok(generator.api.get(`/deployment-objects/${asYaml.id}`))).toEqual(asYaml);
    const raw = await generator.api.get(`/deployment-objects/${asJson.id}`, { headers: { accept: 'application/yaml' } });
    expect(raw.headers['content-type']).toBe('application/yaml');
    expect(sha256(raw.text)).toBe(sha256(yaml.replace(/^\ufeff/, '')));
    expect(await ok(generator.api.get(`${path}?limit=1`))).toEqual([asYaml]);
  });
});

describe('the limit of four MiB', () => {
  const tooMuch = comment('x', LIMIT + 1);
  const WAYS: Record<string, (yaml: string) => ReturnType<typeof generator.api.post>> = {
    'as JSON': (yaml) => generator.api.post(path, { yaml_content: yaml }),
    'as YAML': (yaml) => generator.api.post(path, yaml, { contentType: 'application/yaml' }),
    'as a v1 deployment': (yaml) =>
      host.root.as(generator.pak).post('/v1/deployments', { name: `n${Math.random()}`, yaml_content: yaml, generator_id: generator.id }),
    'as a newer v1 deployment': (yaml) => host.root.as(generator.pak).put(`/v1/deployments/${stack.id}`, { yaml_content: yaml }),
  };
  test.each(Object.entries(WAYS))('the YAML is limited to four MiB: %s', async (_way, send) => {
    expect(await send(tooMuch)).toMatchObject({
      status: 413,
      body: { code: 'payload_too_large', message: expect.stringContaining('4194304') },
    });
    expect([200, 201]).toContain((await send(comment('x', LIMIT))).status);
    // The limit counts bytes, not characters.
    expect(await send(comment('ü', LIMIT - 10))).toMatchObject({ status: 413 });
  });
});

describe('JSON that escapes everything but ASCII', () => {
  const escaped = (value: unknown) =>
    JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const CHARACTERS = { 'of two bytes': 'ü', 'of three bytes': '名', 'of four bytes': '😀', 'quotes and backslashes': '"\\' };
  test.each(Object.entries(CHARACTERS))('YAML of four MiB fits into escaped JSON: %s', async (_what, text) => {
    const yaml_content = `a: 1\n# ${text.repeat((LIMIT - 10) / Buffer.byteLength(text))}`;
    const asJson = { contentType: 'application/json' };
    const object = await generator.api.post(path, escaped({ yaml_content, is_deletion_marker: false }), asJson);
    expect(object).toMatchObject({ status: 201, body: { yaml_checksum: sha256(yaml_content) } });
    const v1 = host.root.as(generator.pak);
    const description = 'd'.repeat(1_000);
    const made = await v1.post('/v1/deployments', escaped({ name: `n${Math.random()}`, description, yaml_content }), asJson);
    expect(made).toMatchObject({ status: 201, body: { yaml_checksum: sha256(yaml_content) } });
    expect(await v1.put(`/v1/deployments/${stack.id}`, escaped({ description, yaml_content }), asJson)).toMatchObject({ status: 200 });
  });
});

describe('the order of checks', () => {
  const BAD: Record<string, [body: string, contentType: string | null, query?: string]> = {
    'malformed JSON': ['{', 'application/json'],
    'an empty body': ['', null],
    'another shape': ['{"yaml_content": 1}', 'application/json'],
    'half a character': ['{"yaml_content": "\\ud800"}', 'application/json'],
    'bad YAML': ['a: [', 'application/yaml'],
    'a type that is not accepted': ['a: 1', 'text/plain'],
    'a malformed deletion marker': ['a: 1', 'application/yaml', '?deletion_marker=maybe'],
  };
  test.each(Object.entries(BAD))(
    'the owner of the stack is checked before the body: %s',
    async (_what, [body, contentType, query = '']) => {
      const stranger = await makeGenerator(host);
      const unknown = `/stacks/${crypto.randomUUID()}/deployment-objects${query}`;
      expect(await stranger.api.post(`${path}${query}`, body, { contentType })).toMatchObject({
        status: 403,
        body: { code: 'stack_not_owned' },
      });
      for (const api of [stranger.api, host.admin]) {
        expect(await api.post(unknown, body, { contentType })).toMatchObject({ status: 404, body: { code: 'stack_not_found' } });
      }
      expect([400, 422]).toContain((await generator.api.post(`${path}${query}`, body, { contentType })).status);
    },
  );
});

describe('the content type of a body', () => {
  const yaml = configMap('typed');
  const raw = (contentType: string | null, query = '', body: string = yaml) => generator.api.post(`${path}${query}`, body, { contentType });

  test.each(['application/yaml', 'text/yaml', 'application/x-yaml', 'Application/YAML', 'text/yaml; charset=utf-8'])(
    'a body of the type %s is read as YAML',
    async (type) => {
      expect(await raw(type)).toMatchObject({ status: 201, body: { yaml_content: yaml, is_deletion_marker: false } });
      expect(await raw(type, '?deletion_marker=true', '')).toMatchObject({
        status: 201,
        body: { yaml_content: '', is_deletion_marker: true },
      });
      expect(await raw(type, '?deletion_marker=false')).toMatchObject({ status: 201, body: { is_deletion_marker: false } });
    },
  );

  test.each(['application/json', null, 'application/json; charset=utf-8', 'application/vnd.brokkr+json'])(
    'a body of the type %s is read as JSON',
    async (type) => {
      const body = JSON.stringify({ yaml_content: yaml });
      expect(await raw(type, '', body)).toMatchObject({ status: 201, body: { yaml_content: yaml } });
      // The query parameter is for YAML bodies; JSON has a member instead.
      expect(await raw(type, '?deletion_marker=true', body)).toMatchObject({ status: 201, body: { is_deletion_marker: false } });
    },
  );

  test.each(['text/plain', 'application/toml', 'application/x-www-form-urlencoded'])('a body of the type %s is refused', async (type) => {
    expect(await raw(type)).toMatchObject({
      status: 400,
      body: { code: 'invalid_deployment_object', message: expect.stringContaining('application/yaml') },
    });
  });

  test('a deletion marker in the query must be true or false', async () => {
    for (const value of ['maybe', '1', 'TRUE', ''])
      expect(await raw('application/yaml', `?deletion_marker=${value}`)).toMatchObject({ status: 400 });
  });
});

describe('malformed YAML', () => {
  const BAD: Record<string, string> = {
    'an empty text': '',
    'only blanks': ' \n \n',
    'comments alone': '# nothing\n---\n# to see\n',
    'documents of null': '---\nnull\n---\n~\n',
    'a syntax error': 'a: [1, 2\n',
    'duplicate keys': 'a: 1\na: 2\n',
    'a tab as indentation': 'a:\n\tb: 1\n',
    'a tag of its own': 'a: !python/object:os.system "rm"\n',
    'an unknown alias': 'a: *nobody\n',
    'an alias of itself': 'a: &x [*x]\n',
    'a billion laughs': `a0: &a0 x\n${Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}*a${n}]`).join('\n')}\n`,
    'a hundred levels': `${'['.repeat(100)}${']'.repeat(100)}`,
    'a hundred thousand levels': '['.repeat(100_000),
    'a list that is no object': '- a: 1\n',
    'a number that is in no JSON': 'a: .inf\n',
    'two keys that are one to kubectl': 'y: 1\n"true": 2\n',
    'an integer beyond what Kubernetes knows': 'id: 18446744073709551616\n',
    'five thousand and one documents': '---\na: 1\n'.repeat(5_001),
  };
  test.each(Object.entries(BAD))('the text is refused: %s', async (_what, yaml) => {
    expect(await generator.api.post(path, { yaml_content: yaml })).toMatchObject({
      status: 400,
      body: { code: 'invalid_deployment_object' },
    });
    expect(await generator.api.post(path, yaml, { contentType: 'text/yaml' })).toMatchObject({ status: 400 });
    expect(await ok(generator.api.get(path))).toEqual([]);
  });
  test('the refusal says where the mistake is and what to write instead', async () => {
    const yaml_content = 'spec:\n  id: 18446744073709551615\n';
    expect(await generator.api.post(path, { yaml_content })).toMatchObject({
      status: 400,
      body: {
        message:
          'yaml_content: document 1, line 2: 18446744073709551615 is beyond 64 bits, kubectl would change it: quote it if it is text',
        details: { field: 'yaml_content', rule: 'unclear_number' },
      },
    });
  });
  test.each(['{', '', '{"yaml_content": "a: 1"', 'a: 1'])('malformed JSON is refused: %s', async (text) => {
    const answer = await generator.api.post(path, text, { contentType: 'application/json' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_deployment_object' } });
  });
});

test('a deletion marker may be empty or contain YAML, and becomes the newest deployment object', async () => {
  const first = await submit(host, stack.id, configMap('one'));
  const marker = await submit(host, stack.id, '', true);
  expect(marker).toMatchObject({ is_deletion_marker: true, yaml_content: '', yaml_checksum: sha256('') });
  const full = await submit(host, stack.id, configMap('one'), true);
  expect(await ok(generator.api.get(path))).toEqual([full, marker, first]);
  expect(await generator.api.post(path, { yaml_content: 'a: [', is_deletion_marker: true })).toMatchObject({ status: 400 });
});

test('additional members that other clients send change nothing', async () => {
  const extra = {
    yaml_checksum: 'x',
    sequence_id: null,
    id: stack.id,
    stack_id: generator.id,
    delivery_mode: 'push',
    is_deletion_marker: null,
  };
  const object = await ok(generator.api.post(path, { yaml_content: 'a: 1', ...extra }));
  expect(object).toMatchObject({ stack_id: stack.id, yaml_checksum: sha256('a: 1'), is_deletion_marker: false });
  expect(object.id).not.toBe(stack.id);
});

test('twenty deployment objects at once get different sequences, and the highest one is the newest', async () => {
  const other = await makeStack(host, generator);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      generator.api.post(`/stacks/${n % 4 === 0 ? other.id : stack.id}/deployment-objects`, { yaml_content: `n: ${n}` }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
  for (const { id } of [stack, other]) {
    const mine = answers.map(({ body }) => body).filter(({ stack_id }) => stack_id === id);
    expect(new Set(mine.map(({ sequence_id }) => sequence_id)).size).toBe(mine.length);
    const readNewestFirst = mine.sort((a, b) => b.sequence_id - a.sequence_id);
    expect(await ok(generator.api.get(`/stacks/${id}/deployment-objects`))).toEqual(readNewestFirst);
    const head = await host.root.as(host.adminPak).get(`/v1/deployments/${id}`);
    expect(head.body).toMatchObject({ sequence_id: readNewestFirst[0]?.sequence_id, deployment_object_id: readNewestFirst[0]?.id });
  }
});

test('sequences rise over all stacks, so that clients may compare them', async () => {
  const other = await makeStack(host, generator);
  const sequences = [];
  for (const { id } of [stack, other, stack, other]) sequences.push((await submit(host, id, 'a: 1')).sequence_id);
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
});

test('a page begins after the one before it, and the last page has no cursor', async () => {
  const all = [];
  for (let n = 0; n < 7; n++) all.unshift(await submit(host, stack.id, `n: ${n}`));
  const pages = await pagesOf(generator.api, `${path}?limit=3`);
  expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
  expect(pages.flat()).toEqual(all);
});

test.each(['x', '名', '"'])('a page is as large as Lambda can carry, and the next page holds the rest (texts of %s)', async (letter) => {
  const yaml = comment(letter, Math.floor(LIMIT / 4 / Buffer.byteLength(letter)) - 10);
  const all = [];
  for (let n = 0; n < 6; n++) all.unshift((await submit(host, stack.id, yaml)).sequence_id);
  const pages = await pagesOf(generator.api, path);
  expect(pages.length).toBeGreaterThan(1);
  for (const page of pages) expect(Buffer.byteLength(JSON.stringify({ body: JSON.stringify(page) }))).toBeLessThan(6 * 1000 * 1000);
  expect(pages.flat().map(({ sequence_id }) => sequence_id)).toEqual(all);
});

test('the deployment objects of a deleted stack are gone with it', async () => {
  const object = await submit(host, stack.id, 'a: 1');
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  expect(await generator.api.get(`/deployment-objects/${object.id}`)).toMatchObject({ status: 404 });
  expect(await generator.api.get(path)).toMatchObject({ status: 404 });
  expect(await generator.api.post(path, { yaml_content: 'a: 1' })).toMatchObject({ status: 404, body: { code: 'stack_not_found' } });
});

describe('a body of a new deployment object', () => {
  const YAML = configMap('one');
  test.each([null, 'application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream'])(
    'a JSON body is read under the content type %p, because `curl -d` names a form',
    async (contentType) => {
      const made = await generator.api.post(path, JSON.stringify({ yaml_content: YAML }), { contentType });
      expect([made.status, made.body.yaml_content]).toEqual([201, YAML]);
    },
  );

  test.each([{}, { yaml_content: null }, { yaml_content: 5 }, { yaml_content: ['a'] }, { yaml: YAML }, null, [], 'text'])(
    'a body without a YAML text is refused: %j',
    async (body) => {
      const refused = await generator.api.post(path, JSON.stringify(body), { contentType: 'application/json' });
      expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_deployment_object' } });
      expect(refused.text).toContain('yaml_content');
    },
  );
});
