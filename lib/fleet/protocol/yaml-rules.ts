/** Bounds on a text that hold before its meaning is known. Kubernetes manifests stay far below them, malicious texts don't. */
export const YAML_LIMITS = {
  bytes: 4 * 1024 * 1024,
  /** Those with content. Of empty ones there may be as many again. */
  documents: 5000,
  /** The beginnings and ends of keys, values, lists and mappings in the whole text. A text of short lines has half of this. */
  events: 700_000,
  /** The tokens, blanks included, that the thorough parser reads of the whole text. Each takes about 2 µs and 500 bytes. */
  tokens: 120_000,
  /** The depth of collections within collections. */
  depth: 64,
  /** The number of aliases (`*name`) in the whole text. */
  aliases: 1000,
  /** The values that aliases stand for, copies of copies included. This bounds a "billion laughs" attack. */
  aliasedNodes: 50_000,
  /** The characters in the values that aliases stand for. */
  aliasedCharacters: 2 * 1024 * 1024,
} as const;

/** The part of the limits that remains for the rest of a text. */
export type YamlBudget = { -readonly [limit in keyof typeof YAML_LIMITS]: number };

export type YamlErrorCode =
  | 'too_large'
  | 'too_many_documents'
  | 'too_complex'
  | 'too_deep'
  | 'too_many_aliases'
  | 'custom_tag'
  | 'duplicate_key'
  | 'unclear_key'
  | 'unclear_number'
  | 'unclear_text'
  | 'not_a_mapping'
  | 'syntax';

export interface YamlPosition {
  /** The document's number from 1, empty documents counted; 0 if the text was not parsed. */
  document: number;
  /** The line's number from 1 in the whole text. */
  line: number;
}

/** The error for a text that is refused. The message begins with the position, then names the rule that the text breaks. */
export class YamlError extends Error {
  override name = 'YamlError';
  readonly code: YamlErrorCode;
  /** The message without the position. */
  readonly reason: string;
  readonly document: number;
  readonly line: number;
  constructor(code: YamlErrorCode, reason: string, { document, line }: YamlPosition = { document: 0, line: 0 }) {
    super(document === 0 ? reason : `document ${document}, line ${line}: ${reason}`);
    this.code = code;
    this.reason = reason;
    this.document = document;
    this.line = line;
  }
}

/** The document whose nodes are read, as far as its readers need it. */
export interface NodeContext {
  /** The document's text. */
  text: string;
  budget: YamlBudget;
  refuse(code: YamlErrorCode, message: string, offset: number): YamlError;
}

/** A document that has content; `line` is the line of its first word. */
export interface YamlDocument extends YamlPosition {
  value: unknown;
}

/** The text of one document, before it is read. */
export interface YamlSource extends YamlPosition {
  text: string;
  /** The line of the whole text at which this document begins. */
  firstLine: number;
}

/** TypeScript's types don't have this yet. https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): { rawJSON: string } };

/** An integer that no JavaScript number holds exactly, as a value that JSON.stringify writes as it is. */
export const rawInteger = (decimal: string): { rawJSON: string } => rawJSON(decimal);

export const isLargeInteger = (source: string | undefined): source is string =>
  source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(Number(source));
