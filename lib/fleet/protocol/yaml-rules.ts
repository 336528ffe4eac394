/** Bounds on a text before its meaning is looked at. Kubernetes manifests stay far below; bombs do not. */
export const YAML_LIMITS = {
  bytes: 1024 * 1024,
  documents: 1000,
  /** Collections within collections. */
  depth: 64,
  /** `*name` in the whole text. */
  aliases: 1000,
  /** Values that aliases stand for, copies of copies included: what bounds a "billion laughs". */
  aliasedNodes: 50_000,
  /** Characters in those values. */
  aliasedCharacters: 2 * 1024 * 1024,
} as const;

export type YamlErrorCode =
  | 'too_large'
  | 'too_many_documents'
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
  readonly document: number;
  readonly line: number;
  constructor(code: YamlErrorCode, message: string, { document, line }: YamlPosition = { document: 0, line: 0 }) {
    super(document === 0 ? message : `document ${document}, line ${line}: ${message}`);
    this.code = code;
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
