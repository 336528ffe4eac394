/** Bounds on a text before its meaning is looked at. Kubernetes manifests stay far below; bombs do not. */
export const YAML_LIMITS = {
  bytes: 1024 * 1024,
  documents: 1000,
  /** Beginnings and ends of keys, values, lists and mappings in the whole text: twice what a text of short lines has. */
  events: 500_000,
  /** What the thorough parser reads of the whole text, blanks included: it takes about 2 µs and 500 bytes for each. */
  tokens: 120_000,
  /** Collections within collections. */
  depth: 64,
  /** `*name` in the whole text. */
  aliases: 1000,
  /** Values that aliases stand for, copies of copies included: what bounds a "billion laughs". */
  aliasedNodes: 50_000,
  /** Characters in those values. */
  aliasedCharacters: 2 * 1024 * 1024,
} as const;

/** The part of the limits that is left for the rest of a text. */
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
  /** Counts all documents of the text from 1, the empty ones too; 0 where the text was not looked into. */
  document: number;
  /** Counts from 1 in the whole text. */
  line: number;
}

/** A text that is refused. The message begins with the position, then says which rule it breaks. */
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

/** A document that has content; `line` is the line of its first word. */
export interface YamlDocument extends YamlPosition {
  value: unknown;
}

/** The text of one document, before it is read. */
export interface YamlSource extends YamlPosition {
  text: string;
  /** The line of the whole text that this one begins at. */
  firstLine: number;
}

/** Newer than the types of the language that come with it. https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): { rawJSON: string } };

/** An integer that no JavaScript number holds exactly, as a value that JSON.stringify writes as it is. */
export const rawInteger = (decimal: string): { rawJSON: string } => rawJSON(decimal);

export const isLargeInteger = (source: string | undefined): source is string =>
  source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(Number(source));
