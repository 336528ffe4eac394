import { Composer, type CST, isAlias, isScalar, isSeq, Lexer, LineCounter, type ParsedNode, Parser, type Scalar } from 'yaml';
import { largeInteger, numberProblem, YAML_LIMITS, type YamlDocument, YamlError, type YamlErrorCode } from './yaml-rules.ts';

/**
 * Reads any text, and finds what is wrong with it: with anchors, tags, directives, in any style. About a millisecond for ten small
 * manifests.
 */
export function composedDocuments(text: string): YamlDocument[] {
  const lines = new LineCounter();
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const budget = { nodes: YAML_LIMITS.aliasedNodes, characters: YAML_LIMITS.aliasedCharacters };
  const documents: YamlDocument[] = [];
  const parsed = { documents: 0 };
  let number = 0;
  const composer = new Composer({ schema: 'core', version: '1.2', merge: false, uniqueKeys: false, logLevel: 'silent' });
  // Left alone, it collects every mistake: seconds for a text of nothing else, when the first decides.
  let mistake: YamlError | undefined;
  Object.assign(composer as object, {
    onError(source: ErrorSource, code: string, message: string) {
      const offset = typeof source === 'number' ? source : 'offset' in source ? source.offset : (source[0] ?? 0);
      // Thrown through the library's own handlers, it comes by here again.
      mistake ??= new YamlError(codeOf(code), firstLine(message), { document: Math.max(1, parsed.documents), line: lineOf(offset) });
      throw mistake;
    },
  });
  for (const document of composer.compose(tokens(text, lines, parsed))) {
    number += 1;
    if (number > YAML_LIMITS.documents) throw new YamlError('too_many_documents', `must have at most ${YAML_LIMITS.documents} documents`);
    const at = (offset: number) => ({ document: number, line: lineOf(offset) });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) throw new YamlError(codeOf(problem.code), firstLine(problem.message), at(problem.pos[0]));
    const value = plain(document.contents, { anchors: new Map(), targets: new Map(), budget, at });
    if (value !== null) documents.push({ value, number, line: lineOf(document.contents?.range[0] ?? document.range[0]) });
  }
  return documents;
}

/**
 * Lexes and parses in step, so that a text nested too deep is left as soon as it is: composing it would recurse as deep. `parsed` is
 * told how many documents have ended.
 */
function* tokens(text: string, lines: LineCounter, parsed: { documents: number }) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let aliases = 0;
  const refuse = (code: YamlErrorCode, message: string) => {
    const document = Math.max(1, parsed.documents + (parser.stack.length > 0 ? 1 : 0));
    return new YamlError(code, message, { document, line: lines.lineStarts.length });
  };
  function* checked(some: Iterable<CST.Token>) {
    for (const token of some) {
      if (token.type === 'error') throw refuse('syntax', token.message);
      if (token.type === 'document') parsed.documents += 1;
      yield token;
    }
  }
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.charCodeAt(0) === 0x2a && parser.offset >= 0 && ++aliases > YAML_LIMITS.aliases) {
      throw refuse('too_many_aliases', `must have at most ${YAML_LIMITS.aliases} aliases`);
    }
    yield* checked(parser.next(lexeme));
    // One level for the document itself, one for a scalar in hand.
    if (parser.stack.length > YAML_LIMITS.depth + 2) throw refuse('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`);
  }
  yield* checked(parser.end());
}

type ErrorSource = number | readonly number[] | { offset: number };

interface Reading {
  anchors: Map<string, ParsedNode | 'open'>;
  /** What each alias stood for where it was written: a later anchor may take the name. */
  targets: Map<ParsedNode, ParsedNode>;
  budget: { nodes: number; characters: number };
  at(offset: number): { document: number; line: number };
}

/**
 * The plain value of a node. Done here rather than by the library, whose ways of finding duplicate keys and the targets of aliases
 * take time by the square of the text's length.
 */
function plain(node: ParsedNode | null, reading: Reading, depth = 0, aliased = false): unknown {
  if (node === null) return null;
  const { budget, anchors, targets } = reading;
  const refuse = (code: YamlErrorCode, message: string) => new YamlError(code, message, reading.at(node.range[0]));
  if (depth > YAML_LIMITS.depth) throw refuse('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`);
  if (aliased) {
    budget.nodes -= 1;
    if (isScalar(node) && typeof node.value === 'string') budget.characters -= node.value.length;
    if (budget.nodes < 0 || budget.characters < 0) throw refuse('too_many_aliases', 'is too large once its aliases are resolved');
  }
  if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) throw refuse('custom_tag', `the tag ${node.tag} is not taken`);
  if (isAlias(node)) {
    const target = targets.get(node) ?? anchors.get(node.source);
    if (target === 'open') throw refuse('too_many_aliases', `*${node.source} contains itself`);
    if (!target) throw refuse('syntax', `unknown alias *${node.source}`);
    targets.set(node, target);
    return plain(target, reading, depth + 1, true);
  }
  const named = !aliased && node.anchor;
  if (named) anchors.set(named, 'open');
  const problem = isScalar(node) && typeof node.value === 'number' && node.type === 'PLAIN' && numberProblem(node.source);
  if (problem) throw refuse('unclear_number', problem);
  const value = isScalar(node) ? scalar(node) : isSeq(node) ? list(node.items) : record(node.items);
  if (named) anchors.set(named, node);
  return value;

  function list(items: readonly unknown[]): unknown[] {
    return items.map((item) => plain(item as ParsedNode | null, reading, depth + 1, aliased));
  }

  function record(items: readonly { key: unknown; value: unknown }[]): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const item of items) {
      const key = item.key as ParsedNode | null;
      if (key !== null && !isScalar(key)) throw refuse('syntax', 'keys must be scalars');
      const name = key ? nameOf(key) : '';
      if (aliased) budget.characters -= name.length;
      if (Object.hasOwn(result, name)) {
        throw new YamlError('duplicate_key', `key "${name.slice(0, 100)}" is there twice`, reading.at(key?.range[0] ?? 0));
      }
      const value = plain(item.value as ParsedNode | null, reading, depth + 1, aliased);
      // Assigned plainly, `__proto__` would change the object's prototype instead of becoming a key.
      if (name === '__proto__') Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
      else result[name] = value;
    }
    return result;
  }
}

/** What JSON knows too. Others make values of their own: bytes, times, sets. */
const CORE_TAGS: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** JSON has no infinities and no NaN: such a value stays what was written. */
function scalar({ value, source, type }: Scalar.Parsed): unknown {
  if (typeof value !== 'number') return value;
  return (type === 'PLAIN' && largeInteger(source)) || (Number.isFinite(value) ? value : source);
}

const nameOf = (key: Scalar.Parsed): string => String((largeInteger(key.source) ? key.source : scalar(key)) ?? '');

const codeOf = (code: string): YamlErrorCode => (code === 'TAG_RESOLVE_FAILED' ? 'custom_tag' : 'syntax');

const firstLine = (message: string): string => (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
