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
  | 'unclear_number'
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

const [INT64_MIN, UINT64_MAX] = [-(2n ** 63n), 2n ** 64n - 1n];
const LEADING_ZERO = /^([-+]?)0+(\d+)$/;
const INTEGER = /^(?:[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/;

/** Newer than the types of the language that come with it. https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): { rawJSON: string } };

/** An integer that no JavaScript number holds exactly, as a value that JSON.stringify writes as it is; undefined for all others. */
export const largeInteger = (source: string): { rawJSON: string } | undefined =>
  INTEGER.test(source) && !Number.isSafeInteger(Number(source)) ? rawJSON(String(BigInt(source))) : undefined;

/**
 * What is wrong with a number in plain style, undefined where nothing is. YAML 1.1, which kubectl reads, takes 0400 for octal, YAML
 * 1.2 does not: as a file's mode it would open the file to others.
 */
export function numberProblem(source: string): string | undefined {
  if (!INTEGER.test(source)) return undefined;
  const text = source.length > 40 ? `${source.slice(0, 40)}…` : source;
  const exact = BigInt(source.slice(0, 400));
  if (exact < INT64_MIN || exact > UINT64_MAX) return `${text} is larger than any integer of Kubernetes: quote it if it is text`;
  const [, sign, digits] = LEADING_ZERO.exec(source) ?? [];
  if (digits === undefined) return undefined;
  const [decimal, octal] = [Number(source), (sign === '-' ? -1 : 1) * Number.parseInt(digits, 8)];
  if (/[89]/.test(digits) || decimal === octal) return `${text} begins with a zero: write ${decimal} or "${text}"`;
  const ways = [...(sign === '-' ? [] : [`0o${digits}`]), octal].join(', ');
  return `${text} is ${decimal} here and ${octal} to kubectl: write ${ways} or "${text}"`;
}
