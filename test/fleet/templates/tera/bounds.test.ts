import { expect, test } from '@jest/globals';
import { TemplateRenderError, TemplateSyntaxError } from '../../../../lib/fleet/templates/template-error.ts';
import { FILTERS } from '../../../../lib/fleet/templates/tera/filters/filters.ts';
import { parseTera, renderTera } from '../../../../lib/fleet/templates/tera/tera.ts';
import type { ValueObject } from '../../../../lib/fleet/templates/tera/values.ts';
import { OPERATORS, PARAMETERS, STATEMENTS } from './conformance.ts';
import { FILTER_ROWS, FUNCTION_ROWS, OTHER_LANGUAGES, TEST_ROWS } from './conformance-names.ts';

const MEBI = 1024 * 1024;
/** Far above what is measured (at most some 100 ms alone), since other work may share the machine; a runaway takes seconds or for ever. */
const LIMIT_MS = 1_000;
/** The process may collect its garbage meanwhile, so that only a template that is slow each time fails. */
const TRIES = 3;

/** Parses and renders; gives the message of a documented error. Any other error fails the test, and so does a long time. */
function run(template: string, parameters: ValueObject): string {
  for (let tried = 1; ; tried++) {
    const start = process.cpuUsage();
    const result = outcome(template, parameters);
    const { user } = process.cpuUsage(start);
    if (user <= LIMIT_MS * 1_000) return result;
    if (tried === TRIES) throw new Error(`${Math.round(user / 1_000)} ms for ${template.slice(0, 200)}`);
  }
}

function outcome(template: string, parameters: ValueObject): string {
  try {
    return `${renderTera(parseTera(template), parameters).length} characters`;
  } catch (error) {
    if (error instanceof TemplateSyntaxError || error instanceof TemplateRenderError) return error.message;
    throw error;
  }
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const HOSTILE: ValueObject = {
  a: 'a'.repeat(MEBI),
  tags: '<'.repeat(MEBI),
  amp: '&'.repeat(MEBI),
  ones: `${'1'.repeat(MEBI - 1)}x`,
  words: 'a '.repeat(MEBI / 2),
  gaps: '> '.repeat(MEBI / 2),
  lines: '\n'.repeat(MEBI),
  zeros: '\u0001'.repeat(MEBI),
  ligatures: '\ufdfa'.repeat(50_000),
  needle: `b${'a'.repeat(MEBI / 4)}`,
  numbers: many(50_000, (n) => n),
  texts: many(20_000, (n) => 'x'.repeat(200) + ((n * 7_919) % 20_000)),
  objects: many(20_000, (n) => ({ a: `g${n}`, b: n })),
  map: Object.fromEntries(many(50_000, (n) => [`k${n}`, n])),
  deep: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)),
  odd: JSON.parse('{"__proto__": {"x": 1}, "constructor": {"prototype": 1}, "toString": 2}'),
};
const ARGUMENTS: Readonly<Record<string, string>> = {
  replace: '(from="a", to="bc")',
  split: '(pat="a")',
  trim_start_matches: '(pat="a")',
  trim_end_matches: '(pat="a")',
  truncate: '(length=1000000)',
  default: '(value=1)',
  indent: '(first=true, blank=true)',
  join: '(sep="-")',
  nth: '(n=1)',
  map: '(attribute="a")',
  filter: '(attribute="a")',
  group_by: '(attribute="a")',
  concat: '(with=numbers)',
  get: '(key="a")',
};
const loop = (body: string) => `{% for i in range(end=100000) %}${body}{% endfor %}`;
const doubled = (use: string) => `{% set_global x = [1] %}{% for i in range(end=60) %}{% set_global x = [x, x] %}{% endfor %}${use}`;

test.each([...FILTERS.keys()])('the filter %s does not run for long on a large value, nor on one again and again', (name) => {
  const filtered = (value: string) => `{% set x = ${value} | ${name}${ARGUMENTS[name] ?? ''} %}`;
  for (const value of Object.keys(HOSTILE)) run(filtered(value), HOSTILE);
  for (const value of Object.keys(HOSTILE)) run(loop(filtered(value)), HOSTILE);
});

test.each([
  ['loops in loops', loop(loop('')), 'steps'],
  ['output', loop('{{ a }}'), 'characters'],
  ['a condition on a large object', loop('{% if map %}{% endif %}'), 'steps'],
  ['a loop over a large object that stops at once', loop('{% for k, v in map %}{% break %}{% endfor %}'), 'steps'],
  ['a loop over a long text that stops at once', loop('{% for c in a %}{% break %}{% endfor %}'), 'steps'],
  ['a text that doubles', `{% set_global x = "a" %}${loop('{% set_global x = x ~ x %}')}`, 'characters'],
  ['JSON of a list that contains itself twice, 60 times', doubled('{{ x | json_encode }}'), 'steps'],
  ['unique of such a list', doubled('{{ x | unique }}'), 'steps'],
  ['printing of such a list', doubled('{{ x }}'), 'steps'],
  ['comparison of such a list', doubled('{% set y = x | reverse %}{{ x == y }}'), 'steps'],
  ['concat of a list with itself', `{% set_global x = [1] %}${loop('{% set_global x = x | concat(with=x) %}')}`, 'steps'],
  ['a long text that is looked for', '{{ needle in a }}', 'steps'],
  ['a long text that is replaced', '{{ a | replace(from=needle, to="") }}', 'steps'],
  [
    'a macro that calls itself twice',
    '{% macro f(n) %}{% if n > 0 %}{{ self::f(n=n-1) }}{{ self::f(n=n-1) }}{% endif %}{% endmacro %}{{ self::f(n=50) }}',
    'steps',
  ],
  ['a macro without an end', '{% macro f() %}{{ self::f() }}{% endmacro %}{{ self::f() }}', '64 deep'],
  ['a long text at the start of another', loop('{% if a is starting_with(a) %}{% endif %}'), 'steps'],
  ['a long text at the end of another', loop('{% if a is ending_with(a) %}{% endif %}'), 'steps'],
  ['a list as an index', loop('{% if numbers[texts] %}{% endif %}'), 'steps'],
  ['a lookup through many loops', `${'{% for a in [1, 2] %}'.repeat(60)}{% if z %}{% endif %}${'{% endfor %}'.repeat(60)}`, 'steps'],
  ['deep parameters', '{{ deep }}', '64 deep'],
])('rendering stops at a limit that its error names: %s', (_name, template, limit) => {
  expect(run(template, HOSTILE)).toContain(limit);
});

test.each([
  ['tags', '{{a}}'.repeat(MEBI / 5), 'more than 100000 words and signs'],
  ['blocks in a row', '{% if a %}{% endif %}'.repeat(49_000), 'more than 100000 words and signs'],
  ['branches', `{% if a %}${'{% elif a %}'.repeat(80_000)}{% endif %}`, 'more than 100000 words and signs'],
  ['opening brackets', '{{'.repeat(MEBI / 2), 'is not closed'],
  ['comments that are not closed', '{#'.repeat(MEBI / 2), 'is not closed'],
  ['raw blocks that are not closed', '{% raw %}'.repeat(MEBI / 9), 'is not closed'],
  ['quotes', '{{ "'.repeat(MEBI / 4), 'is not closed'],
  ['blanks', `{{${' '.repeat(MEBI - 4)}}}`, 'empty'],
  ['a long calculation', `{{ 1${'+1'.repeat(90_000)} }}`, 'more than 2000 words and signs'],
  ['many arguments', `{{ self::a(${many(60_000, (n) => `a${n}=1`).join(',')}) }}`, 'more than 2000 words and signs'],
  ['brackets', `{{ ${'('.repeat(200)}1${')'.repeat(200)} }}`, '64 deep'],
  ['negations', `{{ ${'not '.repeat(200)}1 }}`, '64 deep'],
  ['blocks in blocks', '{% if a %}'.repeat(200), '64 deep'],
  ['a text that is too long', 'é'.repeat(MEBI / 2 + 1), 'more than 1048576 bytes'],
])('parsing stops at a limit that its error names: %s', (_name, template, limit) => {
  expect(run(template, HOSTILE)).toContain(limit);
});

test('an error is short, whatever a template or its parameters contain', () => {
  expect(run(`{{ ${'x'.repeat(10_000)} }}`, {}).length).toBeLessThan(600);
  expect(run('{{ throw(message=a) }}', HOSTILE).length).toBeLessThan(600);
});

test('mixed and broken templates give a text or a documented error, and change nothing of the host', () => {
  const before = [Object.getOwnPropertyNames(Object.prototype), Object.getOwnPropertyNames(globalThis), JSON.stringify(HOSTILE.odd)];
  const real = [STATEMENTS, OPERATORS, FILTER_ROWS, TEST_ROWS, FUNCTION_ROWS, OTHER_LANGUAGES].flatMap((table) =>
    Object.values(table).flatMap((rows) => rows.map(([template]) => template)),
  );
  const words = [...new Set(real.flatMap((template) => template.match(/\w+|\s+|\{\{-?|\{%-?|-?%\}|-?\}\}|[^\w\s]/gu) ?? []))];
  words.push('__proto__', 'constructor', 'prototype', 'toString', 'globalThis', 'process');
  const random = seeded(20_261_127);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const parameters = { ...PARAMETERS, ...(HOSTILE.odd as ValueObject) };
  for (let n = 0; n < 5_000; n++) {
    const template = random() < 0.3 ? many(1 + Math.floor(random() * 20), () => pick(words)).join(pick(['', ' '])) : mutated(pick(real));
    run(template, parameters);
  }
  expect([Object.getOwnPropertyNames(Object.prototype), Object.getOwnPropertyNames(globalThis), JSON.stringify(HOSTILE.odd)]).toEqual(
    before,
  );

  function mutated(template: string): string {
    const at = Math.floor(random() * template.length);
    const gone = Math.floor(random() * 4);
    const added = random() < 0.5 ? pick(words) : pick(real);
    return template.slice(0, at) + added + template.slice(at + gone);
  }
});

/** The same numbers in each run, from 0 up to before 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
