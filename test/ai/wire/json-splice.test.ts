import { expect, test } from '@jest/globals';
import { spliceMembers } from '../../../lib/ai/wire/json-splice.ts';

const CHANGES = { model: '"up"', brokle: undefined };

test.each<[what: string, text: string, spliced: string]>([
  ['only the model', '{"model":"a"}', '{"model":"up"}'],
  [
    'numbers whose digits count',
    '{"model":"a","seed":9007199254740993,"t":1.0,"e":1E-05}',
    '{"model":"up","seed":9007199254740993,"t":1.0,"e":1E-05}',
  ],
  ['white space', '\n{ "model" :\t"a" , "n" : 1 }\n', '\n{ "model" :\t"up" , "n" : 1 }\n'],
  ['our member first', '{"brokle":{"tags":["a"]},"model":"a"}', '{"model":"up"}'],
  ['our member last', '{"model":"a","brokle":{"tags":["}"]}}', '{"model":"up"}'],
  ['our member last, behind spaces', '{"model":"a" , "brokle":{} }', '{"model":"up"  }'],
  ['our member between others', '{"model":"a","brokle":null,"n":1}', '{"model":"up","n":1}'],
  ['our member twice', '{"brokle":1,"model":"a","brokle":2}', '{"model":"up"}'],
  ['our member alone', '{"brokle":1}', '{"model":"up"}'],
  ['no member at all', '{ }', '{"model":"up" }'],
  ['our name inside a string', '{"model":"a","x":"\\",\\"brokle\\":{}"}', '{"model":"up","x":"\\",\\"brokle\\":{}"}'],
  ['our name inside an object', '{"x":{"brokle":1,"model":"b"},"model":"a"}', '{"x":{"brokle":1,"model":"b"},"model":"up"}'],
  ['our name as a value', '{"x":["brokle","model"],"y":"brokle","model":"a"}', '{"x":["brokle","model"],"y":"brokle","model":"up"}'],
  ['a name with escapes', '{"mod\\u0065l":"a","b\\u0072okle":1}', '{"mod\\u0065l":"up"}'],
  ['the model twice', '{"model":"a","n":1,"model":"b"}', '{"model":"up","n":1,"model":"up"}'],
  ['strings that end with backslashes', '{"x":"\\\\","model":"a\\\\\\"","y":"\\\\"}', '{"x":"\\\\","model":"up","y":"\\\\"}'],
  ['other values as model', '{"model":{"a":[1,{"b":"]}"}]},"n":true}', '{"model":"up","n":true}'],
])('a JSON text with %s is changed at the top level and nowhere else', (_what, text, spliced) => {
  expect(spliceMembers(text, CHANGES)).toBe(spliced);
});

test('random objects are changed as a parsed object would be', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const names = ['model', 'brokle', 'a', 'b"', 'c\\', 'é', '{', '__proto'];
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 5 : 7);
    if (kind === 0) return random(1_000) / 8;
    if (kind === 1) return [true, false, null][random(3)];
    if (kind < 5) return ['', '"', '\\', '\\"', ',"brokle":1}', '[{', 'ü\n'][random(7)];
    if (kind === 5) return Array.from({ length: random(4) }, () => value(depth + 1));
    return object(depth + 1);
  };
  const object = (depth: number) =>
    Object.fromEntries(Array.from({ length: random(5) }, () => [names[random(names.length)] ?? '', value(depth)]));
  for (let round = 0; round < 2_000; round++) {
    const before = object(0);
    const text = JSON.stringify(before, null, random(3));
    const expected: Record<string, unknown> = { ...before, model: 'up' };
    delete expected.brokle;
    expect(JSON.parse(spliceMembers(text, CHANGES))).toEqual(expected);
  }
});
