import { expect, test } from '@jest/globals';
import { parseYamlDocuments } from '../../lib/fleet/protocol/yaml-documents.ts';
import { YAML_LIMITS, YamlError, type YamlErrorCode } from '../../lib/fleet/protocol/yaml-rules.ts';

/** About 3.5 MiB of plain manifests. */
const DATA = Array.from({ length: 30 }, (_, n) => `  key-${n}: some words\n`).join('');
const ORDINARY = Array.from(
  { length: YAML_LIMITS.documents - 1 },
  (_, n) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c${n}\ndata:\n${DATA}`,
).join('---\n');

/** Microseconds of CPU of the cheapest of three runs: other work on the machine makes a run dearer, never cheaper. */
function leastCpu(run: () => unknown): number {
  const costs = Array.from({ length: 3 }, () => {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    return user + system;
  });
  return Math.min(...costs);
}

let ordinary: number | undefined;
function ordinaryCpu(): number {
  ordinary ??= leastCpu(() => parseYamlDocuments(ORDINARY));
  return ordinary;
}

const laughs = [
  'a0: &a0 [x,x,x,x,x,x,x,x,x]',
  ...Array.from({ length: 9 }, (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(',')}]`),
].join('\n');

test.each<[string, string, YamlErrorCode]>([
  ['a billion laughs', laughs, 'too_many_aliases'],
  ['a quadratic blow-up', `a: &a ${'x'.repeat(50_000)}\nb: [${'*a,'.repeat(900)}]`, 'too_many_aliases'],
  ['more aliases than anyone needs', `a: &a x\nb: [${'*a,'.repeat(300_000)}]`, 'too_many_aliases'],
  ['an alias within itself', 'a: &a [*a]', 'too_many_aliases'],
  ['brackets without end', `a: ${'['.repeat(500_000)}`, 'too_deep'],
  ['a list of lists', '- '.repeat(500_000), 'not_a_mapping'],
  ['a list in brackets', '['.repeat(500_000), 'not_a_mapping'],
  ['braces without end', '{a: '.repeat(200_000), 'too_deep'],
  ['lists in lists', `a:\n${'- '.repeat(500_000)}`, 'too_deep'],
  ['keys of keys', '? '.repeat(500_000), 'too_deep'],
  ['stairs', Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''), 'too_deep'],
  ['too many documents', '---\na\n'.repeat(YAML_LIMITS.documents + 1), 'too_many_documents'],
  ['too many empty documents', '---\n'.repeat(200_000), 'too_many_documents'],
  ['too many bytes', 'é'.repeat(YAML_LIMITS.bytes / 2 + 1), 'too_large'],
  ['a custom tag', 'a: !include x', 'custom_tag'],
  ["a language's tag", 'a: !!js/function x', 'custom_tag'],
  ['a key twice', 'a: 1\nb: 2\na: 3', 'duplicate_key'],
  ['a key twice as JSON', '{"a": 1, "a": 2}', 'duplicate_key'],
  ['a map as key', '? {a: 1}\n: b', 'unclear_key'],
  ['an unknown alias', 'a: *b', 'syntax'],
  ['half a map', 'a: {b: 1', 'syntax'],
  ['tabs for indentation', 'a:\n\tb: 1', 'syntax'],
])('%s is refused at no more than three times the cost of the largest ordinary text', (_what, text, code) => {
  expect(failureOf(text).code).toBe(code);
  expect(leastCpu(() => failureOf(text))).toBeLessThan(3 * ordinaryCpu());
});

test.each([
  ['a map as wide as it can be', `{${Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join(',')}}`],
  ['anchors everywhere', `a:\n${Array.from({ length: 15_000 }, (_, index) => `- &a${index} x`).join('\n')}\n${'- *a0\n'.repeat(900)}`],
])('%s is read at most ten times as expensively as the largest ordinary text', (_what, text) => {
  expect(leastCpu(() => parseYamlDocuments(text))).toBeLessThan(10 * ordinaryCpu());
});

test('an error says which document and line', () => {
  const error = failureOf('a: 1\n---\n---\nb:\n  c: 1\n  c: 2\n');
  expect(error).toMatchObject({ code: 'duplicate_key', document: 3, line: 6, message: 'document 3, line 6: key "c" is there twice' });
});

test('empty documents say nothing, all others are counted', () => {
  expect(parseYamlDocuments('# only words\n---\n---\na: 1\n---\n~\n---\nb\n')).toEqual([
    { value: { a: 1 }, document: 2, line: 4 },
    { value: 'b', document: 4, line: 8 },
  ]);
  for (const text of ['', '\n', '# nothing\n', '---\n', '---\n...\n']) expect(parseYamlDocuments(text)).toEqual([]);
});

test.each([
  ['18446744073709551616', '18446744073709551616 is beyond 64 bits, kubectl would change it: quote it if it is text'],
  ['-9223372036854775809', '-9223372036854775809 is beyond 64 bits, kubectl would change it: quote it if it is text'],
  ['9'.repeat(400), `${'9'.repeat(40)}… is beyond 64 bits, kubectl would change it: quote it if it is text`],
  ['.inf', 'JSON has no value for .inf: quote it if it is text'],
])('a number that kubectl would change is refused in every style: %s', (number, message) => {
  for (const first of ['a: 1', 'a: &x 1']) {
    expect(failureOf(`${first}\nb:\n  mode: ${number}\n`)).toMatchObject({
      code: 'unclear_number',
      line: 3,
      message: `document 1, line 3: ${message}`,
    });
  }
});

test('an integer beyond what a JavaScript number holds is passed on as it is', () => {
  const text = 'a: [9007199254740993, -9223372036854775808, +9223372036854775807, 0x20000000000001]\n9007199254740993: x\n';
  const [document] = parseYamlDocuments(text);
  expect(JSON.stringify(document?.value)).toBe(
    '{"a":[9007199254740993,-9223372036854775808,9223372036854775807,9007199254740993],"9007199254740993":"x"}',
  );
});

test('keys that mean something to JavaScript are only keys', () => {
  const [document] = parseYamlDocuments('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n1: one\n');
  expect(Object.keys(document?.value ?? {})).toEqual(['1', '__proto__', 'constructor']);
  expect(Object.getPrototypeOf(document?.value)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('polluted');
});

test('an alias is a copy', () => {
  const value = parseYamlDocuments('a: &x {k: [1]}\nb: *x\n')[0]?.value as { a: object; b: object };
  expect(value).toEqual({ a: { k: [1] }, b: { k: [1] } });
  expect(value.a).not.toBe(value.b);
});

function failureOf(text: string): YamlError {
  try {
    parseYamlDocuments(text);
  } catch (error) {
    if (error instanceof YamlError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test.each([['a: !!omap [b: 1]'], ['a: !!pairs [b: 1]'], ['a: !!binary aGVsbG8='], ['a: !!timestamp 2026-01-01'], ['a: !!set {b}']])(
  'a tag that JSON has no value for is refused: %s',
  (text) => {
    expect(() => parseYamlDocuments(text)).toThrow(expect.objectContaining({ code: 'custom_tag' }));
  },
);

test('an alias stands for what its name meant where it was written', () => {
  const [document] = parseYamlDocuments('a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\n');
  expect(document?.value).toEqual({ a: 1, b: [1], c: 2, d: [1] });
});

test.each([['[,,,,'], ['}'], ['a: }\n'], ['""""'], ['%a\n'], ['[!x a,']])(
  'a text of nothing but mistakes is refused at the first: %j',
  (part) => {
    const text = part.repeat(Math.floor(1_000_000 / part.length));
    expect(leastCpu(() => failureOf(text))).toBeLessThan(10 * ordinaryCpu());
  },
);

test('the document of a mistake is counted, wherever it is found', () => {
  expect(failureOf('a: 1\n---\nb: 2\n---\nc: }\n')).toMatchObject({ code: 'syntax', document: 3, line: 5 });
  expect(failureOf('a: 1\n---\nb: 2\n---\nc: [\n')).toMatchObject({ code: 'syntax', document: 3 });
  expect(failureOf(`a: 1\n---\nb:\n${'- '.repeat(80)}\n`)).toMatchObject({ code: 'too_deep', document: 2, line: 4 });
});
