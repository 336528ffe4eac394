import { expect, test } from '@jest/globals';
import { readComposedDocument } from '../../lib/fleet/protocol/yaml-composed.ts';
import { readPlainDocument } from '../../lib/fleet/protocol/yaml-plain.ts';
import { YAML_LIMITS, type YamlSource } from '../../lib/fleet/protocol/yaml-rules.ts';
import { splitYamlDocuments } from '../../lib/fleet/protocol/yaml-sources.ts';

const TEXTS = [
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x # why\ndata:\n  a: >-\n    folded\n    text\n\n    more\n  b: |\n    #!/bin/sh\n     exit 1\n',
  "a: 'it''s'\nb: \"esc \\n \\u00e9\"\nc: plain\n  goes on\nd: [x, 'y', {z: 1}]\n",
  'kind: List\nitems:\n- a: 1\n  b: -2.5\n-\n  c: 0x1F\n  d: null\n  e: ~\n- f: true\n  g: "1"\n  h:\n',
  '# first\n---\na: 1\n---\n\n---\n# third\n\nb: {}\nc: []\n',
  '? a\n: b\n"q": \'r\' # c\nu:\n  - - 1\n    - 2\n  - |+\n    kept\n\n  - end\n',
];
const BITS =
  '\n|  |- |: | #|#|"|\'|[|]|{|}|,|? |>|\\|---\n|...\n|\t|\r\n|\r|~|null|0o7|1e400|.5|-|+1|.nan|-.INF|True|<<: |"a"|\'b\'c|{a}b|&x |*x|!!str |%|é|\u2028|0123|9007199254740993|a: b\n|a|yes|off|1_000|0b11|y: |\uFEFF|!!int |[1:30]|\\\n\n|{a:, b}|[?a]|&a:b'
    .split('|')
    .concat('|', '|2\n');

/** The same numbers for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % sides;
  };
}

function mutated(text: string, roll: (sides: number) => number): string {
  const at = roll(text.length + 1);
  const without = roll(3) === 0 ? roll(4) : 0;
  return text.slice(0, at) + BITS[roll(BITS.length)] + text.slice(at + without);
}

/** The documents of a text; none where it is refused before a parser sees it. */
function sourcesOf(text: string): YamlSource[] {
  try {
    return [...splitYamlDocuments(text)];
  } catch {
    return [];
  }
}

const composed = (source: YamlSource): unknown => readComposedDocument(source, { ...YAML_LIMITS });

test.each(TEXTS.map((text) => [text]))('the fast parser takes plain manifests, and reads what the thorough one reads: %j', (text) => {
  const sources = sourcesOf(text);
  expect(sources).not.toEqual([]);
  expect(sources.map((source) => readPlainDocument(source, { ...YAML_LIMITS }))).toEqual(sources.map(composed));
});

test('a changed text that both parsers take has the same values in both', () => {
  const roll = dice(2026);
  let both = 0;
  for (let n = 0; n < 20_000; n++) {
    let text = TEXTS[roll(TEXTS.length)] ?? '';
    for (let times = roll(3); times >= 0; times--) text = mutated(text, roll);
    for (const source of sourcesOf(text)) {
      const plain = readPlainDocument(source, { ...YAML_LIMITS });
      if (plain === undefined) continue;
      both += 1;
      let thorough: unknown;
      try {
        thorough = composed(source);
      } catch {
        // The thorough one doesn't take a comment at the margin before an indented value, though it may stand there.
        if (/:[^\S\n]*\n\s*#/.test(source.text)) continue;
      }
      if (JSON.stringify(plain) !== JSON.stringify(thorough)) expect({ text, value: plain }).toEqual({ text, value: thorough });
    }
  }
  expect(both).toBeGreaterThan(2_000);
});

test.each([
  ['an anchor', 'a: &x 1\n'],
  ['an alias', 'a: &x 1\nb: *x\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a merge key', 'a: {<<: {b: 1}}\n'],
  ['a tab', 'a:\t1\n'],
  ['a key twice', 'a: 1\na: 2\n'],
  ['a list', '- a\n'],
  ['a word', 'a\n'],
  ['an empty key', ': a\n'],
  ['an indentation that is told', 'a: |2\n    b\n'],
  ['text after a quote', 'a:\n  b:\n  - "c"d: e\n'],
  ['text after a quote and blanks', "a:\n- b:\n  - 'c'  d: e\n"],
  ['text after a flow collection', 'a:\n  b:\n  - {c: d}e:\n    - f\n'],
  ['a bracket that closes at its key', 'a: [\n  b\n]\n'],
  ['what is nested too deep', `a: ${'['.repeat(65)}${']'.repeat(65)}\n`],
  ['a number that no JSON has', 'a: .inf\n'],
  ['a key that is null', '~: 1\n'],
  ['a key with a colon before a comma', 'a: {b:, c}\n'],
  ['a question mark in brackets', 'a: [?b]\n'],
  ['an escaped line break before a blank line', 'a: "b\\\n\n  c"\n'],
  ['a second document', 'a: 1\n...\nb: 1\n'],
  ['what is wrong', 'a: [\n'],
])('%s is left to the thorough parser', (_what, text) => {
  expect(readPlainDocument({ text, document: 1, line: 1, firstLine: 1 }, { ...YAML_LIMITS })).toBeUndefined();
});
