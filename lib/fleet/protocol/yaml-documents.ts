import { Buffer } from 'node:buffer';
import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml';

/** What is read of a text before its meaning is looked at. Kubernetes manifests stay far below; bombs do not. */
export const YAML_LIMITS = {
  bytes: 1024 * 1024,
  documents: 1000,
  /** Collections within collections. */
  depth: 64,
  /** `*name` in the whole text. */
  aliases: 1000,
  /** Values after aliases are resolved: each alias is a copy, so this is what bounds a "billion laughs". */
  nodes: 250_000,
  /** Characters of all scalars after aliases are resolved. */
  characters: 4 * 1024 * 1024,
} as const;

export type YamlErrorCode =
  | 'too_large'
  | 'too_many_documents'
  | 'too_deep'
  | 'too_many_aliases'
  | 'custom_tag'
  | 'duplicate_key'
  | 'syntax';

/** A text that is not taken. `document` and `line` count from 1; `document` is 0 where the text was not looked into. */
export class YamlError extends Error {
  override name = 'YamlError';
  readonly code: YamlErrorCode;
  readonly document: number;
  readonly line: number;
  constructor(code: YamlErrorCode, message: string, { document = 0, line = 0 }: { document?: number; line?: number } = {}) {
    super(document === 0 ? message : `document ${document}, line ${line}: ${message}`);
    this.code = code;
    this.document = document;
    this.line = line;
  }
}

/** A document that says something. `number` counts all documents of the text from 1, the empty ones too. */
export interface YamlDocument {
  value: unknown;
  number: number;
  line: number;
}

/**
 * Reads a stream of YAML 1.2 documents (core schema) into plain values; empty documents are left out.
 * Throws a YamlError for what is malformed, or larger, deeper or more entangled than YAML_LIMITS, custom tags and duplicate keys.
 */
export function parseYamlDocuments(text: string): YamlDocument[] {
  if (text.length > YAML_LIMITS.bytes || Buffer.byteLength(text) > YAML_LIMITS.bytes) {
    throw new YamlError('too_large', `must have at most ${YAML_LIMITS.bytes} bytes`);
  }
  const lines = new LineCounter();
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const budget = { nodes: YAML_LIMITS.nodes, characters: YAML_LIMITS.characters };
  const documents: YamlDocument[] = [];
  let number = 0;
  for (const document of new Composer({ schema: 'core', version: '1.2', merge: false, uniqueKeys: true, logLevel: 'silent' }).compose(
    tokens(text, lines),
  )) {
    number += 1;
    if (number > YAML_LIMITS.documents) throw new YamlError('too_many_documents', `must have at most ${YAML_LIMITS.documents} documents`);
    const at = (offset: number) => ({ document: number, line: lineOf(offset) });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) throw new YamlError(codeOf(problem.code), firstLine(problem.message), at(problem.pos[0]));
    const value = plain(document.contents, { document, budget, at });
    if (value !== null) documents.push({ value, number, line: lineOf(document.range[0]) });
  }
  return documents;
}

/** Lexes and parses in step, so that a text nested too deep is left as soon as it is: composing it would recurse as deep. */
function* tokens(text: string, lines: LineCounter) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let aliases = 0;
  const position = () => ({ document: 1, line: lines.lineStarts.length });
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.charCodeAt(0) === 0x2a && parser.offset >= 0 && ++aliases > YAML_LIMITS.aliases) {
      throw new YamlError('too_many_aliases', `must have at most ${YAML_LIMITS.aliases} aliases`, position());
    }
    yield* parser.next(lexeme);
    // One level for the document itself, one for a scalar in hand.
    if (parser.stack.length > YAML_LIMITS.depth + 2) {
      throw new YamlError('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`, position());
    }
  }
  yield* parser.end();
}

interface Reading {
  document: Document.Parsed;
  budget: { nodes: number; characters: number };
  at(offset: number): { document: number; line: number };
}

function plain(node: ParsedNode | null, reading: Reading, depth = 0): unknown {
  if (node === null) return null;
  const { budget, at, document } = reading;
  const where = () => at(node.range[0]);
  budget.nodes -= 1;
  if (budget.nodes < 0 || budget.characters < 0)
    throw new YamlError('too_many_aliases', 'is too large once its aliases are resolved', where());
  if (depth > YAML_LIMITS.depth) throw new YamlError('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`, where());
  if (isScalar(node)) {
    if (typeof node.value === 'string') budget.characters -= node.value.length;
    return typeof node.value === 'bigint' ? Number(node.value) : node.value;
  }
  if (isAlias(node)) {
    const target = node.resolve(document);
    if (!target) throw new YamlError('syntax', `unknown alias *${node.source}`, where());
    return plain(target as ParsedNode, reading, depth + 1);
  }
  if (isSeq(node)) return node.items.map((item) => plain(item as ParsedNode | null, reading, depth + 1));
  if (!isMap(node)) throw new YamlError('syntax', 'unknown node', where());
  const result: Record<string, unknown> = {};
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? (key.value === null ? '' : String(key.value)) : undefined;
    if (name === undefined) throw new YamlError('syntax', 'keys must be scalars', where());
    budget.characters -= name.length;
    const item = plain(value as ParsedNode | null, reading, depth + 1);
    // Assigned plainly, `__proto__` would change the object's prototype instead of becoming a key.
    if (name === '__proto__') Object.defineProperty(result, name, { value: item, enumerable: true, configurable: true, writable: true });
    else result[name] = item;
  }
  return result;
}

const codeOf = (code: string): YamlErrorCode =>
  code === 'DUPLICATE_KEY' ? 'duplicate_key' : code === 'TAG_RESOLVE_FAILED' ? 'custom_tag' : 'syntax';

const firstLine = (message: string): string => (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
