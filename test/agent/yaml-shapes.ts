import { Buffer } from 'node:buffer';
import { YAML_LIMITS } from '../../lib/fleet/protocol/yaml-rules.ts';

const LIMIT = YAML_LIMITS.bytes;

interface Shape {
  head?: string;
  tail?: string;
  bytes?: number;
}

/** One thing again and again, up to the largest text. */
export function fillText(unit: string | ((index: number) => string), { head = '', tail = '', bytes = LIMIT }: Shape = {}): string {
  const parts = [head];
  let left = bytes - Buffer.byteLength(head + tail);
  for (let index = 0; ; index++) {
    const part = typeof unit === 'string' ? unit : unit(index);
    left -= Buffer.byteLength(part);
    if (left < 0) return parts.join('') + tail;
    parts.push(part);
  }
}

/** The largest texts that cost a parser more than others: each stands for its kind. */
export const YAML_SHAPES: Record<string, () => string> = {
  'dashes at the root': () => fillText('-\n'),
  'dashes below a key': () => fillText('-\n', { head: 'a:\n' }),
  'list items': () => fillText('- a\n', { head: 'a:\n' }),
  'nested dashes': () => fillText('- - - - - - - - - - a\n', { head: 'a:\n' }),
  'endless dashes': () => fillText('- ', { head: 'a:\n' }),
  'dashes and an anchor': () => fillText('-\n', { head: 'a:\n', tail: 'b: &x 1\n', bytes: 950_000 }),
  'dashes and a mistake': () => fillText('-\n', { head: 'a:\n', tail: 'b: [\n', bytes: 950_000 }),
  'nested dashes and an anchor': () => fillText('- - - - - - - - - - a\n', { head: 'a:\n', tail: 'b: &x 1\n', bytes: 540_000 }),
  'open brackets': () => fillText('['),
  'open brackets below a key': () => fillText('[', { head: 'a: ' }),
  'open braces': () => fillText('{a: ', { head: 'b: ' }),
  'empty lists': () => fillText('[],', { head: 'a: [', tail: ']\n' }),
  'empty lists with an anchor': () => fillText('[],', { head: 'a: &x [', tail: ']\n' }),
  'mappings in braces': () => fillText('{a: b},', { head: 'a: [', tail: ']\n' }),
  'mappings in braces and an anchor': () => fillText('{a: 1},', { head: 'a: [', tail: ']\nb: &x 1\n', bytes: 850_000 }),
  commas: () => fillText(',', { head: 'a: {', tail: '}\n' }),
  'lists in lists': () => fillText('[[[[[[[[[[]]]]]]]]]],', { head: 'a: [', tail: ']\n' }),
  'keys without values in a line': () => fillText('a: '),
  'keys of keys': () => fillText('? '),
  'keys of keys in lines': () => fillText('? ? ? a\n'),
  'marked keys': () => fillText((index) => `? k${index}\n: v\n`),
  keys: () => fillText((index) => `k${index}: v\n`),
  'keys of which the last is there twice': () => fillText((index) => `k${index}: v\n`, { tail: 'k0: v\n' }),
  'keys with anchors': () => fillText((index) => `k${index}: &a${index} v\n`),
  'keys with tags': () => fillText((index) => `k${index}: !!str v\n`),
  'the same key': () => fillText('a: 1\n'),
  'a long key': () => `${'k'.repeat(LIMIT - 10)}: v\n`,
  'anchors and aliases': () => fillText('&a *a '),
  aliases: () => fillText('- *a\n', { head: 'a: &a 1\nb:\n' }),
  'merge keys': () => fillText('<<: {a: 1}\n'),
  'merges of a wide mapping': () =>
    `a: &a {${Array.from({ length: 50 }, (_, index) => `k${index}: 1`).join(', ')}}\n${Array.from({ length: 990 }, (_, index) => `b${index}: {<<: *a}\n`).join('')}`,
  'a block of lines': () => fillText('  x\n', { head: 'a: |\n' }),
  'a folded block': () => fillText('  x\n\n', { head: 'a: >\n' }),
  'empty blocks': () => fillText('- |\n', { head: 'a:\n' }),
  'a long line': () => `a: ${'x'.repeat(LIMIT - 10)}\n`,
  quotes: () => fillText('"'),
  'quotes below a key': () => fillText('"', { head: 'a: ' }),
  'lines in quotes': () => fillText('x\n ', { head: 'a: "', tail: '"\n' }),
  'an open quote': () => fillText('x\n ', { head: 'a: "' }),
  backslashes: () => fillText('\\', { head: 'a: "', tail: '"\n' }),
  'line separators in quotes': () => fillText('x\u2028', { head: 'a: "', tail: '"\n' }),
  comments: () => fillText('#\n', { head: 'a: b\n' }),
  'comments in brackets': () => fillText('a, #\n', { head: 'a: [', tail: ']\n' }),
  'a thousand documents of lists': () => `---\na:\n${'-\n'.repeat(520)}`.repeat(990),
  'a thousand documents with anchors': () => `---\na: &x\n${'- b\n'.repeat(260)}`.repeat(990),
  'empty documents': () => fillText('---\n'),
  'ends of documents': () => fillText('a: 1\n...\n'),
  hyphens: () => fillText('-'),
  directives: () => fillText('%YAML 1.2\n'),
  stairs: () => fillText((index) => `${' '.repeat(index % 60)}a:\n`),
  blanks: () => `a:${' '.repeat(LIMIT - 10)}b\n`,
  'blank lines': () => fillText('\n', { head: 'a: b\n' }),
  'lines of tabs': () => fillText('\t\n', { head: 'a: b\n' }),
  'tabs between': () => fillText('a:\tb\t\n'),
  'lines that end as on Windows': () => fillText('- a\r\n', { head: 'a:\r\n' }),
  'byte order marks': () => fillText('\ufeff\n', { head: 'a: 1\n' }),
  tags: () => fillText('!a '),
  'exclamation marks': () => fillText('!'),
  'a long tag': () => `a: !${'x'.repeat(LIMIT - 10)} b\n`,
  numbers: () => fillText('- 0x1\n', { head: 'a:\n' }),
  'a long number': () => `a: ${'9'.repeat(LIMIT - 10)}\n`,
  'a long octal': () => `a: 0${'7'.repeat(LIMIT - 10)}\n`,
  underscores: () => `a: .1${'_1'.repeat(LIMIT / 2 - 10)}\n`,
  colons: () => fillText(':'),
  'closing brackets': () => fillText('a: }\n'),
  JSON: () => fillText('[1,2,{"b":null}],', { head: '{"a":[', tail: '0]}' }),
};
