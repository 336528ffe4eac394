import { TemplateSyntaxError, type TextPlace } from '../template-error.ts';
import { TEMPLATE_LIMITS } from '../template-limits.ts';
import { foreignSyntax } from './foreign-syntax.ts';
import type { Token } from './tokens.ts';

/** Reads the tokens of one tag. */
export class TokenReader {
  private at = 0;
  private depth = 0;
  private readonly tokens: readonly Token[];
  /** Where the tag begins, for errors at its end. */
  readonly tagPlace: TextPlace;
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
    this.tagPlace = tokens[0]?.place ?? { line: 1, column: 1 };
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }
  get place(): TextPlace {
    return this.peek()?.place ?? this.tokens.at(-1)?.place ?? this.tagPlace;
  }
  next(): Token | undefined {
    const token = this.peek();
    this.at += 1;
    return token;
  }
  /** Whether the next token is this symbol or word; texts in quotes never are. */
  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token !== undefined && token.kind !== 'string' && token.text === text;
  }
  /** Takes the next token if it is this one. */
  takes(text: string): boolean {
    if (!this.is(text)) return false;
    this.at += 1;
    return true;
  }
  expect(text: string, why: string): void {
    if (!this.takes(text)) this.fail(`expected "${text}" ${why}`);
  }
  name(what: string): string {
    const token = this.peek();
    if (token?.kind !== 'name') return this.fail(`expected ${what}`);
    this.at += 1;
    return token.text;
  }
  end(): void {
    if (this.peek()) this.fail('expected the end of the tag');
  }
  /** Parses something one level deeper, so that brackets can't exhaust the stack. */
  deeper<T>(parse: () => T): T {
    if (this.depth >= TEMPLATE_LIMITS.depth) return this.fail(`the expression is nested more than ${TEMPLATE_LIMITS.depth} deep`);
    this.depth += 1;
    const parsed = parse();
    this.depth -= 1;
    return parsed;
  }
  /** The beginning of the tag, as it was written. */
  words(): string {
    return this.tokens
      .slice(0, 20)
      .map(({ kind, text }) => (kind === 'string' ? `"${text}"` : text))
      .join(' ');
  }
  fail(message: string): never {
    const token = this.peek();
    const found = token ? `, found ${token.kind === 'string' ? 'a text' : `"${token.text}"`}` : ', found the end of the tag';
    throw new TemplateSyntaxError(foreignSyntax(this.words()) ?? message + found, this.place);
  }
}
