import type { TextPlace } from '../template-error.ts';
import { FILTERS } from './filters/filters.ts';
import { FUNCTIONS, WITHHELD } from './functions.ts';
import type { CompareOp, Expression, MathOp, NamedArgs, Step } from './syntax.ts';
import { TESTS } from './tests.ts';
import type { TokenReader } from './token-reader.ts';

/**
 * Expressions, from the weakest binding to the strongest: `or`, `and`, `not`, comparison and `in`, math whose operands have filters, `~`.
 * As in Tera a filter applies to the whole calculation before it: `1.9 + 2 | round` is 4.
 */
export function parseExpression(reader: TokenReader): Expression {
  return reader.deeper(() => {
    let left = parseAnd(reader);
    while (reader.takes('or')) left = { kind: 'logic', op: 'or', left, right: parseAnd(reader) };
    return left;
  });
}

function parseAnd(reader: TokenReader): Expression {
  let left = parseNot(reader);
  while (reader.takes('and')) left = { kind: 'logic', op: 'and', left, right: parseNot(reader) };
  return left;
}

function parseNot(reader: TokenReader): Expression {
  return reader.takes('not') ? { kind: 'not', operand: reader.deeper(() => parseNot(reader)) } : parseComparison(reader);
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

function parseComparison(reader: TokenReader): Expression {
  const { place } = reader;
  const left = parseMath(reader, 0);
  const token = reader.peek();
  if (token?.kind === 'symbol' && COMPARISONS.has(token.text)) {
    reader.next();
    return { kind: 'compare', op: token.text as CompareOp, left, right: parseMath(reader, 0), place };
  }
  if (reader.takes('in')) return { kind: 'in', negated: false, needle: left, haystack: parseMath(reader, 0), place };
  if (reader.is('not') && reader.is('in', 1)) {
    reader.next();
    reader.next();
    return { kind: 'in', negated: true, needle: left, haystack: parseMath(reader, 0), place };
  }
  return left;
}

const PRECEDENCE: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2 };
const mathOp = (reader: TokenReader): MathOp | undefined => {
  const token = reader.peek();
  return token?.kind === 'symbol' && Object.hasOwn(PRECEDENCE, token.text) ? (token.text as MathOp) : undefined;
};

/** Calculations between values, each followed by filters, and then calculations between those. */
function parseMath(reader: TokenReader, least: number): Expression {
  let left = withFilters(reader, parsePlainMath(reader, least));
  for (let op = mathOp(reader); op !== undefined && (PRECEDENCE[op] ?? 0) > least; op = mathOp(reader)) {
    const { place } = reader;
    reader.next();
    left = { kind: 'math', op, left, right: parseMath(reader, PRECEDENCE[op] ?? 0), place };
  }
  return left;
}

function parsePlainMath(reader: TokenReader, least: number): Expression {
  let left = parseConcat(reader);
  for (let op = mathOp(reader); op !== undefined && (PRECEDENCE[op] ?? 0) > least; op = mathOp(reader)) {
    const { place } = reader;
    reader.next();
    left = { kind: 'math', op, left, right: parsePlainMath(reader, PRECEDENCE[op] ?? 0), place };
  }
  return left;
}

function parseConcat(reader: TokenReader): Expression {
  const first = parseValue(reader);
  if (!reader.is('~')) return first;
  const parts = [first];
  while (reader.takes('~')) parts.push(parseValue(reader));
  return { kind: 'concat', parts };
}

function withFilters(reader: TokenReader, value: Expression): Expression {
  let input = value;
  while (reader.takes('|')) input = { kind: 'filter', input, ...parseFilter(reader) };
  return input;
}

/** A filter's name and arguments, after the bar or the word `filter`. */
export function parseFilter(reader: TokenReader): { name: string; args: NamedArgs; place: TextPlace } {
  const { place } = reader;
  const name = reader.name('the name of a filter');
  const filter = FILTERS.get(name) ?? unknown(reader, place, 'filter', name, FILTERS);
  return { name, args: reader.is('(') ? parseNamedArgs(reader, `the filter "${name}"`, filter.parameters) : [], place };
}

function unknown(reader: TokenReader, place: TextPlace, what: string, name: string, known: ReadonlyMap<string, unknown>): never {
  const near = [...known.keys()].find((other) => other.startsWith(name.slice(0, 3)));
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return reader.refuse(WITHHELD.get(name) ?? `there is no ${what} "${name}"${hint}`, place);
}

/** Arguments in brackets. With `known` a name that is none of these is an error. */
function parseNamedArgs(reader: TokenReader, what: string, known?: readonly string[]): NamedArgs {
  reader.expect('(', 'before the arguments');
  const args: { name: string; value: Expression }[] = [];
  while (!reader.takes(')')) {
    const { place } = reader;
    const name = reader.name('the name of an argument, as in default(value=1)');
    if (known && !known.includes(name) && !known.includes(`${name}?`)) {
      const names = known.map((one) => one.replace('?', '')).join(', ');
      reader.refuse(`${what} has no argument "${name}": it takes ${names || 'none'}`, place);
    }
    reader.expect('=', `after the argument "${name}"`);
    if (args.some((other) => other.name === name)) reader.refuse(`the argument "${name}" is given twice`, place);
    args.push({ name, value: parseExpression(reader) });
    if (!reader.is(')')) reader.expect(',', 'between two arguments');
  }
  return args;
}

function parseValue(reader: TokenReader): Expression {
  const token = reader.peek();
  if (!token) return reader.expected('a value');
  if (token.kind === 'string') {
    reader.next();
    return { kind: 'literal', value: token.text };
  }
  if (token.kind === 'number') return parseNumber(reader, 1);
  if (reader.takes('-')) return parseNumber(reader, -1);
  if (reader.takes('(')) {
    const inner = parseExpression(reader);
    reader.expect(')', 'after the expression in brackets');
    return inner;
  }
  if (reader.takes('[')) return parseList(reader);
  if (token.kind !== 'name') return reader.expected('a value');
  return parseNamed(reader);
}

function parseNumber(reader: TokenReader, sign: 1 | -1): Expression {
  const token = reader.peek();
  if (token?.kind !== 'number') return reader.expected('a number');
  const value = sign * Number(token.text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return reader.refuse('the number is too large to be exact');
  reader.next();
  return { kind: 'literal', value };
}

function parseList(reader: TokenReader): Expression {
  const items: Expression[] = [];
  while (!reader.takes(']')) {
    items.push(parseExpression(reader));
    if (!reader.is(']')) reader.expect(',', 'between two values of a list');
  }
  return { kind: 'list', items };
}

const CONSTANTS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
]);

function parseNamed(reader: TokenReader): Expression {
  const { place } = reader;
  const name = reader.name('a value');
  const constant = CONSTANTS.get(name);
  if (constant !== undefined) return { kind: 'literal', value: constant };
  if (reader.takes('::')) {
    if (name !== 'self') return reader.refuse('macros are called as self::name(…): a template has only its own');
    return { kind: 'macro-call', name: reader.name('the name of a macro'), args: parseNamedArgs(reader, 'the macro'), place };
  }
  if (reader.is('(')) {
    const known = FUNCTIONS.get(name) ?? unknown(reader, place, 'function', name, FUNCTIONS);
    return { kind: 'function', name, args: parseNamedArgs(reader, `the function "${name}"`, known.parameters), place };
  }
  const variable = parsePath(reader, name, place);
  return reader.takes('is') ? parseTest(reader, variable) : variable;
}

function parsePath(reader: TokenReader, name: string, place: TextPlace): Expression {
  const path: Step[] = [];
  let text = name;
  for (;;) {
    // A blank before or behind a dot is no path: `if .Values.x` is a Go template.
    if (reader.is('.') && !reader.peek()?.spaced) {
      reader.next();
      const token = reader.peek();
      if ((token?.kind !== 'name' && token?.kind !== 'number') || token.spaced) return reader.expected('a name right after the dot');
      reader.next();
      // `a.0.1` reads like a number of two parts.
      for (const part of token.text.split('.')) path.push({ name: part });
      text += `.${token.text}`;
    } else if (reader.takes('[')) {
      const index = parseExpression(reader);
      reader.expect(']', 'after the index');
      path.push({ index });
      text += index.kind === 'literal' ? `[${JSON.stringify(index.value)}]` : '[…]';
    } else {
      return { kind: 'variable', name, path, text, place };
    }
  }
}

function parseTest(reader: TokenReader, subject: Expression): Expression {
  const { place } = reader;
  const negated = reader.takes('not');
  const namePlace = reader.place;
  const name = reader.name('the name of a test');
  const test = TESTS.get(name) ?? unknown(reader, namePlace, 'test', name, TESTS);
  const args: Expression[] = [];
  if (reader.takes('(')) {
    while (!reader.takes(')')) {
      args.push(parseExpression(reader));
      if (!reader.is(')')) reader.expect(',', 'between two arguments');
    }
  }
  const wanted = test.parameters.length;
  if (args.length !== wanted) return reader.refuse(`the test "${name}" takes ${wanted} argument${wanted === 1 ? '' : 's'}`, namePlace);
  return { kind: 'test', name, negated, subject, args, place };
}
