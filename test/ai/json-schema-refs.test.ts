import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../lib/ai/wire/chat.ts';
import { hasRecursiveRefs, inlineRefs } from '../../lib/ai/wire/json-schema-refs.ts';
import { toolCallIdFor } from '../../lib/ai/wire/tool-call-ids.ts';

const inline = (schema: JsonObject) => inlineRefs(schema, 'tools.[0].function.parameters');

test('a reference is replaced by what it names, and the definitions are left out', () => {
  expect(
    inline({
      type: 'object',
      properties: { at: { $ref: '#/$defs/place', description: 'where' }, all: { type: 'array', items: { $ref: '#/definitions/a~1b' } } },
      $defs: { place: { type: 'string', description: 'a place', minLength: 1 } },
      definitions: { 'a/b': { type: 'integer' } },
    }),
  ).toEqual({
    type: 'object',
    properties: { at: { type: 'string', description: 'where', minLength: 1 }, all: { type: 'array', items: { type: 'integer' } } },
  });
});

test('a definition that contains itself becomes an open object at its second level', () => {
  const tree: JsonObject = {
    $ref: '#/$defs/node',
    $defs: { node: { type: 'object', properties: { left: { $ref: '#/$defs/node' }, n: { type: 'integer' } } } },
  };
  expect(inline(tree)).toEqual({ type: 'object', properties: { left: { type: 'object' }, n: { type: 'integer' } } });
  expect(hasRecursiveRefs(tree)).toBe(true);
  expect(hasRecursiveRefs({ type: 'object', properties: { self: { $ref: '#' } } })).toBe(true);
  expect(hasRecursiveRefs({ properties: { a: { $ref: '#/$defs/s' }, b: { $ref: '#/$defs/s' } }, $defs: { s: { type: 'string' } } })).toBe(
    false,
  );
});

test('properties that are called like keywords, and data that looks like a reference, stay as they are', () => {
  const schema: JsonObject = JSON.parse(
    '{"type":"object","properties":{"$ref":{"type":"string"},"$defs":{"type":"string"},"__proto__":{"type":"string"},"constructor":{"type":"string"}},"default":{"$ref":"#/x"},"enum":[{"$ref":"#/y"}]}',
  );
  expect(JSON.stringify(inline(schema))).toBe(JSON.stringify(schema));
});

test('a schema that doubles at each level is refused in under 100 ms, and the error names the parameter', () => {
  const $defs: Record<string, JsonObject> = { d0: { type: 'string', description: 'x'.repeat(100) } };
  for (let level = 1; level < 60; level++)
    $defs[`d${level}`] = { type: 'object', properties: { a: { $ref: `#/$defs/d${level - 1}` }, b: { $ref: `#/$defs/d${level - 1}` } } };
  const started = performance.now();
  expect(() => inline({ $ref: '#/$defs/d59', $defs })).toThrow(
    expect.objectContaining({ details: { param: 'tools.[0].function.parameters' } }),
  );
  expect(performance.now() - started).toBeLessThan(100);
});

test('many definitions that all refer to each other are worked out once each, in under 100 ms', () => {
  const names = Array.from({ length: 60 }, (_, index) => `d${index}`);
  const all = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]));
  const $defs = Object.fromEntries(names.map((name) => [name, { type: 'object', properties: all }]));
  const started = performance.now();
  try {
    inline({ $ref: '#/$defs/d0', $defs });
  } catch (error) {
    expect(error).toMatchObject({ kind: 'bad_request' });
  }
  expect(performance.now() - started).toBeLessThan(100);
});

test.each([
  ['too deep', deep(80)],
  ['a reference to nothing', { $ref: '#/$defs/none' }],
  ['a reference to another document', { $ref: 'https://example.com/schema.json' }],
  ['a chain of definitions that is too long', chain(80)],
])('%s is refused with the name of the parameter', (_, schema) => {
  expect(() => inline(schema)).toThrow(
    expect.objectContaining({ kind: 'bad_request', details: { param: 'tools.[0].function.parameters' } }),
  );
});

test('an id that the provider takes passes byte for byte; others map to distinct ids, the same each time', () => {
  const accepted = /^[a-zA-Z0-9_-]+$/;
  expect(toolCallIdFor('toolu_01-A', accepted)).toBe('toolu_01-A');
  const odd = ['a b', 'a.b', 'a:b', 'ab ', 'ä', '', 'functions.get_weather:0', 'functions.get_weather:1'];
  const mapped = odd.map((id) => toolCallIdFor(id, accepted));
  expect(new Set(mapped).size).toBe(odd.length);
  for (const id of mapped) expect(id).toMatch(accepted);
  expect(odd.map((id) => toolCallIdFor(id, accepted))).toEqual(mapped);
});

function deep(levels: number): JsonObject {
  return levels === 0 ? { type: 'string' } : { type: 'object', properties: { a: deep(levels - 1) } };
}
function chain(length: number): JsonObject {
  const $defs: Record<string, JsonObject> = { d0: { type: 'string' } };
  for (let level = 1; level < length; level++) $defs[`d${level}`] = { type: 'array', items: { $ref: `#/$defs/d${level - 1}` } };
  return { $ref: `#/$defs/d${length - 1}`, $defs };
}
