import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { prepareTemplate } from '../../../lib/fleet/templates/template-engine.ts';
import type { ValueObject } from '../../../lib/fleet/templates/tera/values.ts';
import { startTestHost, type TestHost } from '../../harness/host.ts';
import { type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, pagesOf, target, unique } from '../fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let other: MadeGenerator;
let stack: { id: string };
beforeAll(async () => {
  host = await startTestHost();
  [generator, other] = await Promise.all([makeGenerator(host), makeGenerator(host)]);
});
afterAll(() => host.stop());
beforeEach(async () => {
  stack = await makeStack(host, generator);
});

const CONTENT = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name }}
data:
  replicas: "{{ replicas }}"
{% if extra %}{% for key, value in extra %}  {{ key }}: {{ value | json_encode }}
{% endfor %}{% endif %}`;
const SCHEMA = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', pattern: '^[a-z-]+$' },
    replicas: { type: 'integer', minimum: 1, maximum: 9, default: 2 },
    extra: { type: 'object' },
  },
};
const texts = (more: object = {}) => ({ template_content: CONTENT, parameters_schema: JSON.stringify(SCHEMA), ...more });
const make = (of: MadeGenerator | TestHost, more: object = {}) =>
  ok(('admin' in of ? of.admin : of.api).post('/templates', { name: unique('t'), ...texts(more) }));
const instantiate = (template_id: string, parameters: object, into = stack) =>
  generator.api.post(`/stacks/${into.id}/deployment-objects/from-template`, { template_id, parameters });

describe('versions', () => {
  test('a name gets the next number each time, also after the newest version was deleted, and when two are made at once', async () => {
    const name = unique('t');
    const create = () => ok(generator.api.post('/templates', { name, ...texts() }));
    const [first, second] = [await create(), await create()];
    expect([first.version, second.version]).toEqual([1, 2]);
    await ok(generator.api.delete(`/templates/${second.id}`));
    expect((await create()).version).toBe(3);
    const atOnce = await Promise.all(Array.from({ length: 8 }, create));
    expect(atOnce.map(({ version }) => version).sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await ok(other.api.post('/templates', { name, ...texts() }))).version).toBe(1);
  });

  test('an update is a new version with its own id; labels and annotations stay with the old one', async () => {
    const template = await make(generator);
    await ok(generator.api.post(`/templates/${template.id}/labels`, 'prod'));
    const next = await ok(generator.api.put(`/templates/${template.id}`, texts({ description: 'more' })));
    expect(next).toMatchObject({ name: template.name, version: 2, description: 'more', engine: 'tera' });
    expect(next.id).not.toBe(template.id);
    expect(await ok(generator.api.get(`/templates/${next.id}/labels`))).toEqual([]);
    expect(await ok(generator.api.get(`/templates/${template.id}`))).toMatchObject({ version: 1, description: null });
  });

  test('texts of the full size come back byte for byte, with the checksum of the template', async () => {
    const template_content = `${CONTENT}# ü 😀 ${'x'.repeat(1_000_000)}\n`;
    const { id } = await make(generator, { template_content });
    const read = await ok(generator.api.get(`/templates/${id}`));
    expect(read.template_content).toBe(template_content);
    expect(read.checksum).toBe(createHash('sha256').update(template_content).digest('hex'));
  });
});

describe('who sees what', () => {
  test('a generator lists the system’s templates and its own, and an admin all of them, page by page', async () => {
    const [system, own, foreign] = [await make(host), await make(generator), await make(other)];
    const idsOf = async (api: MadeGenerator['api']) =>
      (await pagesOf<{ id: string }>(api, '/templates?limit=2')).flat().map(({ id }) => id);
    const mine = await idsOf(generator.api);
    expect(mine).toEqual(expect.arrayContaining([system.id, own.id]));
    expect(mine).not.toContain(foreign.id);
    expect(new Set(mine).size).toBe(mine.length);
    expect(await idsOf(host.admin)).toEqual(expect.arrayContaining([system.id, own.id, foreign.id]));
  });

  test('a removed generator leaves no template behind', async () => {
    const leaving = await makeGenerator(host);
    const template = await make(leaving);
    await ok(leaving.api.post(`/templates/${template.id}/labels`, 'prod'));
    await ok(host.admin.delete(`/generators/${leaving.id}`));
    expect(await host.admin.get(`/templates/${template.id}`)).toMatchObject({ status: 404 });
    const { items } = await host.app.services.database.query('fleet', { pk: `TEMPLATE#${template.id}` });
    expect(items).toEqual([]);
  });
});

describe('a text that cannot be used', () => {
  test.each<[string, object, string, string]>([
    ['a mistake in Tera', { template_content: 'a: 1\nb: {{ name !' }, 'invalid_template_syntax', 'line 2, column 4'],
    ['mustache without its engine', { template_content: '{{#each a}}{{/each}}' }, 'invalid_template_syntax', 'mustache'],
    ['a mistake in mustache', { engine: 'mustache', template_content: 'a\n{{#b}}' }, 'invalid_template_syntax', 'Unclosed section'],
    ['a partial of mustache', { engine: 'mustache', template_content: '{{>b}}' }, 'invalid_template_syntax', 'partials'],
    ['a schema that is no JSON', { parameters_schema: '{' }, 'invalid_parameters_schema', 'not JSON'],
    ['a schema of an unknown type', { parameters_schema: '{"type":"text"}' }, 'invalid_parameters_schema', 'type'],
    [
      'a schema that refers to another server',
      { parameters_schema: '{"$ref":"https://example.com/a"}' },
      'invalid_parameters_schema',
      'reference',
    ],
    ['a reference to nothing, which only a check finds', { parameters_schema: '{"$dynamicRef":"#x"}' }, 'invalid_parameters_schema', ''],
    [
      'a schema that refers to itself without end',
      { parameters_schema: '{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}' },
      'invalid_parameters_schema',
      'refers to itself',
    ],
    ['a pattern that is none', { parameters_schema: '{"pattern":"("}' }, 'invalid_parameters_schema', 'regular expression'],
    ['a deep schema', { parameters_schema: `${'{"not":'.repeat(40)}{}${'}'.repeat(40)}` }, 'invalid_parameters_schema', '32 deep'],
    ['a blank template', { template_content: ' \n' }, 'invalid_template', 'blank'],
    ['a blank name', { name: ' ' }, 'invalid_template', 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'invalid_template', 'control characters'],
  ])('%s is refused, and told by validate as well', async (_what, more, code, words) => {
    const answer = await generator.api.post('/templates', { name: unique('t'), ...texts(more) });
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(answer.body.message).toContain(words);
    if ('name' in more) return;
    const checked = await ok(generator.api.post('/templates/validate', texts(more)));
    expect(checked).toMatchObject({ valid: false, problems: [{ code, message: answer.body.message }] });
  });

  test('validate tells all problems at once, and nothing of a good template', async () => {
    const bad = await ok(generator.api.post('/templates/validate', { template_content: '{{', parameters_schema: '[' }));
    expect(bad.problems.map(({ code }: { code: string }) => code)).toEqual(['invalid_template_syntax', 'invalid_parameters_schema']);
    expect(await ok(generator.api.post('/templates/validate', texts()))).toEqual({ valid: true, problems: [] });
  });
});

describe('an instantiation', () => {
  test('renders with the defaults of the schema, becomes the stack’s head, and is handed to the agent', async () => {
    const template = await make(host);
    const agent = await makeAgent(host, { generators: [generator] });
    await target(host, agent, stack);
    const object = await ok(instantiate(template.id, { name: 'web', extra: { colour: 'red "dark"' } }));
    expect(object.yaml_content).toBe(
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  replicas: "2"\n  colour: "red \\"dark\\""\n',
    );
    expect((await agent.assignments()).get(stack.id)).toMatchObject({ deployment_object_id: object.id });
    expect(await ok(agent.api.get(`/deployment-objects/${object.id}/provenance`))).toEqual({
      deployment_object_id: object.id,
      template_id: template.id,
      template_name: template.name,
      template_version: 1,
      template_checksum: template.checksum,
      engine: 'tera',
      parameters: { name: 'web', extra: { colour: 'red "dark"' } },
    });
  });

  test('by mustache escapes nothing, and finds only the parameters’ own members', async () => {
    const template_content = 'name: "{{name}}"\nlist: [{{#items}}"{{.}}",{{/items}}]\nx: "{{constructor}}{{name.length}}"\n';
    const template = await make(generator, { engine: 'mustache', template_content, parameters_schema: '{}' });
    const object = await ok(instantiate(template.id, { name: 'a & <b>', items: ['x', 'y'] }));
    expect(object.yaml_content).toBe('name: "a & <b>"\nlist: ["x","y",]\nx: ""\n');
  });

  test.each<[string, object, number, string, string]>([
    ['a wrong type', { name: 'web', replicas: 'two' }, 400, 'invalid_parameters', '/replicas: must be integer'],
    ['several mistakes', { replicas: 0 }, 400, 'invalid_parameters', "/: must have required property 'name'"],
    ['a number that loses digits', { name: 'web', extra: { id: 2 ** 60 } }, 400, 'invalid_parameters', '/extra/id'],
  ])('with %s is refused', async (_what, parameters, status, code, words) => {
    const template = await make(generator);
    const answer = await instantiate(template.id, parameters);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.details.validation_errors.join()).toContain(words);
  });

  test('knows a parameter by what was given, whatever JavaScript calls so', async () => {
    const inherited = { required: ['toString'], properties: { constructor: { type: 'string' } } };
    const template = await make(generator, { template_content: 'a: {{ toString }}', parameters_schema: JSON.stringify(inherited) });
    expect(await instantiate(template.id, {})).toMatchObject({
      body: { code: 'invalid_parameters', details: { validation_errors: ["/: must have required property 'toString'"] } },
    });
    expect(await ok(instantiate(template.id, { toString: 'b' }))).toMatchObject({ yaml_content: 'a: b' });
  });

  test('takes a parameter called __proto__ like any other, and its provenance tells it', async () => {
    const template = await make(generator, { template_content: 'a: {{ __proto__ }}{{ x.__proto__ }}', parameters_schema: '{}' });
    const parameters = '{"__proto__":"b","x":{"__proto__":"c"}}';
    const path = `/stacks/${stack.id}/deployment-objects/from-template`;
    const body = `{"template_id":"${template.id}","parameters":${parameters}}`;
    const object = await ok(generator.api.post(path, body, { contentType: 'application/json' }));
    expect(object.yaml_content).toBe('a: bc');
    const { text } = await generator.api.get(`/deployment-objects/${object.id}/provenance`);
    expect(text).toContain(`"parameters":${parameters}`);
  });

  test.each(['1e400', '[-1e400]', '9007199254740993'])('refuses the number %s, which would not be kept', async (x) => {
    const template = await make(generator, { template_content: 'a: {{ x }}', parameters_schema: '{}' });
    const path = `/templates/${template.id}/preview`;
    const shown = await ok(generator.api.post(path, `{"parameters":{"x":${x}}}`, { contentType: 'application/json' }));
    expect(shown).toMatchObject({ yaml_content: null, problems: [{ code: 'invalid_parameters' }] });
  });

  test('refuses a default that would lose digits', async () => {
    const parameters_schema = '{"properties":{"x":{"default":9007199254740993}}}';
    const template = await make(generator, { template_content: 'a: {{ x }}', parameters_schema });
    expect((await instantiate(template.id, {})).body).toMatchObject({ code: 'invalid_parameters', message: expect.stringContaining('/x') });
  });

  test('tells what is wrong in few words, however long the names are', async () => {
    const parameters_schema = '{"additionalProperties":{"required":["b"],"additionalProperties":false}}';
    const template = await make(generator, { parameters_schema });
    const answer = await instantiate(template.id, { ['n'.repeat(100_000)]: { ['m'.repeat(100_000)]: 1 } });
    expect(answer.body.details.validation_errors).toHaveLength(2);
    expect(answer.text.length).toBeLessThan(5_000);
  });

  test('names the variable that is missing, with its place', async () => {
    const template = await make(generator, { template_content: 'a: 1\nb: {{ colour }}\n', parameters_schema: '{}' });
    expect(await instantiate(template.id, {})).toMatchObject({
      status: 400,
      body: { code: 'template_render_failed', message: expect.stringContaining('"colour"'), details: { line: 2, column: 7 } },
    });
  });

  test('whose text is no YAML is refused, and nothing is stored', async () => {
    const template = await make(generator, { template_content: 'a: [{{ name }}\n', parameters_schema: '{}' });
    expect(await instantiate(template.id, { name: 'x' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_deployment_object', message: expect.stringContaining('rendered template') },
    });
    expect(await ok(generator.api.get(`/stacks/${stack.id}/deployment-objects`))).toEqual([]);
  });

  test('needs all labels and annotations of the template on the stack', async () => {
    const template = await make(generator);
    await ok(generator.api.post(`/templates/${template.id}/labels`, 'prod'));
    await ok(generator.api.post(`/templates/${template.id}/annotations`, { key: 'tier', value: 'gold' }));
    expect(await instantiate(template.id, { name: 'web' })).toMatchObject({
      status: 422,
      body: { code: 'template_stack_mismatch', details: { missing_labels: ['prod'], missing_annotations: [['tier', 'gold']] } },
    });
    await ok(generator.api.post(`/stacks/${stack.id}/labels`, 'prod'));
    await ok(generator.api.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'tier', value: 'gold' }));
    expect(await instantiate(template.id, { name: 'web' })).toMatchObject({ status: 201 });
  });

  test('holds nothing up for longer than the time of a check, whatever the schema says', async () => {
    const runaway = JSON.stringify({ properties: { name: { type: 'string', pattern: '^(a+)+$' } } });
    const template = await make(generator, { template_content: 'a: {{ name }}', parameters_schema: runaway });
    const started = performance.now();
    const answer = await instantiate(template.id, { name: `${'a'.repeat(60)}!` });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_parameters', message: expect.stringContaining('1000 ms') } });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('of a deployment object that was posted has no provenance, and a removed stack leaves none behind', async () => {
    const template = await make(generator);
    const object = await ok(instantiate(template.id, { name: 'web' }));
    const posted = await ok(generator.api.post(`/stacks/${stack.id}/deployment-objects`, { yaml_content: 'a: 1' }));
    expect(await generator.api.get(`/deployment-objects/${posted.id}/provenance`)).toMatchObject({
      status: 404,
      body: { code: 'provenance_not_found' },
    });
    await ok(generator.api.delete(`/stacks/${stack.id}`));
    expect(await generator.api.get(`/deployment-objects/${object.id}/provenance`)).toMatchObject({ status: 404 });
  });
});

test.each<[string, string, object, string]>([
  ['stands for a text in its section', '{{#foo}}{{.}} is {{foo}}{{/foo}}', { foo: 'bar' }, 'bar is bar'],
  ['stands for a number in its section', '{{#port}}:{{.}}{{/port}}', { port: 80 }, ':80'],
  ['is true if it is an object, though it is empty', '{{#o}}yes{{/o}}{{^o}}no{{/o}}', { o: {} }, 'yes'],
  ['is false if it is 0, empty, or not there', '{{^a}}0{{/a}}{{^b}}1{{/b}}{{^c}}2{{/c}}{{^d}}3{{/d}}', { a: 0, b: '', c: [] }, '0123'],
  ['is found in a list by its place', '{{list.1}} {{list.0.name}}', { list: [{ name: 'a' }, 'b'] }, 'b a'],
  ['has nothing but its own members', '[{{list.length}}{{text.length}}{{o.constructor}}]', { list: [1], text: 'a', o: {} }, '[]'],
])('a value of mustache %s', (_what, text, parameters, expected) => {
  expect(prepareTemplate('mustache', text)(parameters as ValueObject)).toBe(expected);
});

describe('a preview', () => {
  test('shows the text and stores nothing', async () => {
    const template = await make(generator);
    const shown = await ok(generator.api.post(`/templates/${template.id}/preview`, { parameters: { name: 'web' } }));
    expect(shown).toMatchObject({ problems: [], yaml_content: expect.stringContaining('name: web') });
  });

  test('tells every reason for which an instantiation would be refused', async () => {
    const template = await make(generator, { template_content: 'a: [{{ name }}', parameters_schema: '{}' });
    await ok(generator.api.post(`/templates/${template.id}/labels`, 'prod'));
    const shown = await ok(generator.api.post(`/templates/${template.id}/preview`, { parameters: { name: 'x' }, stack_id: stack.id }));
    expect(shown.problems.map(({ code }: { code: string }) => code)).toEqual(['template_stack_mismatch', 'invalid_deployment_object']);
    expect(shown.yaml_content).toBe('a: [x');
    const refused = await ok(generator.api.post(`/templates/${template.id}/preview`, { parameters: {} }));
    expect(refused).toMatchObject({ yaml_content: null, problems: [{ code: 'template_render_failed' }] });
  });
});
