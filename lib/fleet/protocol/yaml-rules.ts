/** What is read of a text before its meaning is looked at. Kubernetes manifests stay far below; bombs do not. */
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
