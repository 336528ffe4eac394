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
  private readonly inside: string;
  /** @param inside the text of a `{{ … }}`, where other template languages have their statements; empty for other tags */
  constructor(tokens: readonly Token[], inside = '') {
    this.tokens = tokens;
    this.inside = inside;
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
    if (!this.takes(text)) this.expected(`"${text}" ${why}`);
  }
  name(what: string): string {
    const token = this.peek();
    if (token?.kind !== 'name') return this.expected(what);
    this.at += 1;
    return token.text;
  }
  end(): void {
    if (this.peek()) this.expected('the end of the tag');
  }
  /** Parses something one level deeper, so that brackets can't exhaust the stack. */
  deeper<T>(parse: () => T): T {
    if (this.depth >= TEMPLATE_LIMITS.depth) return this.refuse(`the expression is nested more than ${TEMPLATE_LIMITS.depth} deep`);
    this.depth += 1;
    const parsed = parse();
    this.depth -= 1;
    return parsed;
  }
  /** Fails, since something else was expected here. */
  expected(what: string): never {
    const token = this.peek();
    const found = token ? (token.kind === 'string' ? 'a text' : `"${token.text}"`) : 'the end of the tag';
    return this.refuse(`expected ${what}, found ${found}`);
  }
  /** Fails with this message, or with the advice to write it in Tera if the tag is of another language. */
  refuse(message: string, place: TextPlace = this.place): never {
    throw new TemplateSyntaxError(foreignSyntax(this.inside) ?? message, place);
  }
}
