import type { RenderBudget } from '../../template-limits.ts';
import type { Arguments } from '../arguments.ts';
import type { Value } from '../values.ts';
import type { Filter, Filters } from './filter.ts';

/** A filter on a text. Its `cost` is in eighths of a step for a character, as measured for the worst text. */
const onText = (
  summary: string,
  example: Filter['example'],
  run: (text: string, args: Arguments, budget: RenderBudget) => Value,
  { parameters = [], cost = 1 }: { parameters?: readonly string[]; cost?: number } = {},
): Filter => ({
  parameters,
  summary,
  example,
  run(input, args, budget) {
    const text = args.inputText(input);
    budget.spend((text.length * cost) >> 3);
    const result = run(text, args, budget);
    if (typeof result === 'string') budget.text(result.length, 0);
    return result;
  },
});

const WORD = /\S+/g;
const upperFirst = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;', '/': '&#x2F;' };
const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Replaces every occurrence of a text; the result is paid for before it is made. */
function replaced(text: string, from: string, to: string, budget: RenderBudget): string {
  if (from === '') return text;
  budget.search(text, from);
  let count = 0;
  for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length)) count += 1;
  budget.text(text.length + count * (to.length - from.length), text.length + 8 * count);
  return text.split(from).join(to);
}

function trimmedStart(text: string, pattern: string): string {
  let from = 0;
  while (pattern !== '' && text.startsWith(pattern, from)) from += pattern.length;
  return text.slice(from);
}
function trimmedEnd(text: string, pattern: string): string {
  let end = text.length;
  while (pattern !== '' && end >= pattern.length && text.endsWith(pattern, end)) end -= pattern.length;
  return text.slice(0, end);
}

/** One character can be taken apart into 18 (U+FDFA): the limit of a text counts these. */
function slug(text: string, _args: Arguments, budget: RenderBudget): string {
  budget.text(text.length * 18);
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

export const TEXT_FILTERS: Filters = {
  lower: onText('In lower case', ['{{ "Web" | lower }}', 'web'], (text) => text.toLowerCase(), { cost: 3 }),
  upper: onText('In upper case', ['{{ "web" | upper }}', 'WEB'], (text) => text.toUpperCase(), { cost: 3 }),
  capitalize: onText(
    'The first letter in upper case, the rest in lower case',
    ['{{ "wEB" | capitalize }}', 'Web'],
    (text) => upperFirst(text.toLowerCase()),
    { cost: 3 },
  ),
  title: onText(
    'Each word with a capital letter',
    ['{{ "foo bar" | title }}', 'Foo Bar'],
    (text) => text.toLowerCase().replace(/[\p{L}\p{N}_']+/gu, upperFirst),
    { cost: 3 },
  ),
  trim: onText('Without white space at both ends', ['[{{ " a " | trim }}]', '[a]'], (text) => text.trim()),
  trim_start: onText('Without white space at the start', ['[{{ " a " | trim_start }}]', '[a ]'], (text) => text.trimStart()),
  trim_end: onText('Without white space at the end', ['[{{ " a " | trim_end }}]', '[ a]'], (text) => text.trimEnd()),
  trim_start_matches: onText(
    'Without a text at the start, however often it is there',
    ['{{ "//a/b//" | trim_start_matches(pat="//") }}', 'a/b//'],
    (text, args) => trimmedStart(text, args.text('pat')),
    { parameters: ['pat'] },
  ),
  trim_end_matches: onText(
    'Without a text at the end, however often it is there',
    ['{{ "//a/b//" | trim_end_matches(pat="//") }}', '//a/b'],
    (text, args) => trimmedEnd(text, args.text('pat')),
    { parameters: ['pat'] },
  ),
  replace: onText(
    'With every `from` replaced by `to`',
    ['{{ "a.b" | replace(from=".", to="-") }}', 'a-b'],
    (text, args, budget) => replaced(text, args.text('from'), args.text('to'), budget),
    { parameters: ['from', 'to'] },
  ),
  truncate: onText(
    'At most `length` characters (255), with `end` (…) if some were left out',
    ['{{ "abcdef" | truncate(length=3) }}', 'abc…'],
    (text, args) => {
      const characters = [...text];
      const length = Math.max(0, args.integer('length', 255));
      return characters.length <= length ? text : characters.slice(0, length).join('') + args.text('end', '…');
    },
    { parameters: ['length?', 'end?'], cost: 2 },
  ),
  wordcount: onText('The number of words', ['{{ "foo bar" | wordcount }}', '2'], (text) => text.match(WORD)?.length ?? 0),
  addslashes: onText(
    'With a backslash before quotes and backslashes',
    ['{{ "it\'s" | addslashes }}', "it\\'s"],
    (text) => text.replace(/[\\"']/g, '\\$&'),
    { cost: 2 },
  ),
  slugify: onText('Lower case letters, digits and hyphens alone', ['{{ "Web App (1)" | slugify }}', 'web-app-1'], slug, { cost: 2 }),
  indent: onText(
    'With a `prefix` (four blanks) before each line but the first one; `first` and `blank` say that the first line and blank lines get it too',
    ['{{ "a: 1\nb: 2" | indent(prefix="  ") }}', 'a: 1\n  b: 2'],
    (text, args, budget) => {
      const prefix = args.text('prefix', '    ');
      const [first, blank] = [args.flag('first'), args.flag('blank')];
      const lines = text.split('\n');
      budget.text(text.length + lines.length * prefix.length);
      return lines.map((line, n) => ((n > 0 || first) && (line.trim() !== '' || blank) ? prefix + line : line)).join('\n');
    },
    { parameters: ['prefix?', 'first?', 'blank?'] },
  ),
  linebreaksbr: onText(
    'With `<br>` for each end of a line',
    ['{{ "a\nb" | linebreaksbr }}', 'a<br>b'],
    (text) => text.replace(/\r?\n/g, '<br>'),
    { cost: 4 },
  ),
  striptags: onText('Without what is between < and >', ['{{ "<b>a</b>" | striptags }}', 'a'], (text) => text.replace(/<[^<>]*>/g, '')),
  spaceless: onText('Without white space between > and <', ['{{ "<a> <b>" | spaceless }}', '<a><b>'], (text) =>
    text.replace(/>\s+</g, '><'),
  ),
  escape: onText(
    'With the characters that HTML gives a meaning as entities',
    ['{{ "<a>" | escape }}', '&lt;a&gt;'],
    (text) => text.replace(/[&<>"'/]/g, (one) => HTML[one] ?? one),
    { cost: 6 },
  ),
  escape_xml: onText(
    'The same for XML',
    ['{{ "<a>" | escape_xml }}', '&lt;a&gt;'],
    (text) => text.replace(/[&<>"']/g, (one) => XML[one] ?? one),
    { cost: 6 },
  ),
  urlencode: onText(
    'As a part of a URL, slashes kept',
    ['{{ "a b/c" | urlencode }}', 'a%20b/c'],
    (text) => encoded(text).replaceAll('%2F', '/'),
    { cost: 9 },
  ),
  urlencode_strict: onText(
    'The same with all but letters and digits encoded',
    ['{{ "a-b/c" | urlencode_strict }}', 'a%2Db%2Fc'],
    strictlyEncoded,
    { cost: 9 },
  ),
  split: onText(
    'The parts between each `pat`, as a list',
    ['{{ "a,b" | split(pat=",") | last }}', 'b'],
    (text, args, budget) => {
      const pattern = args.text('pat');
      budget.search(text, pattern);
      const parts = text.split(pattern);
      budget.spend(parts.length);
      return parts;
    },
    { parameters: ['pat'] },
  ),
};

/** A lone half of a pair of surrogates has no UTF-8. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function strictlyEncoded(text: string): string {
  return encoded(text).replace(/[-._~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
