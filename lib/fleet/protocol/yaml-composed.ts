import { Composer, type CST, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml';
import { createNodeReader } from './yaml-nodes.ts';
import { YAML_LIMITS, type YamlBudget, YamlError, type YamlErrorCode, type YamlSource } from './yaml-rules.ts';

/**
 * Reads a document in any style, also with anchors, tags and merge keys, and finds its mistakes. Ten small manifests take about a
 * millisecond.
 */
export function readComposedDocument({ text, document: number, firstLine }: YamlSource, budget: YamlBudget): unknown {
  const lines = new LineCounter();
  const refuse = (code: YamlErrorCode, message: string, offset: number) =>
    new YamlError(code, message, { document: number, line: firstLine - 1 + Math.max(1, lines.linePos(offset).line) });
  const composer = new Composer({ schema: 'failsafe', customTags: PLAIN_TAGS, version: '1.2', uniqueKeys: false, logLevel: 'silent' });
  // The library would collect every mistake, which takes seconds for a text full of them. The first mistake decides.
  let mistake: YamlError | undefined;
  Object.assign(composer as object, {
    onError(source: ErrorSource, code: string, message: string, warning: boolean) {
      // kubectl accepts any indentation of brackets and of their contents.
      if (warning && code === 'BAD_INDENT') return;
      const offset = typeof source === 'number' ? source : 'offset' in source ? source.offset : (source[0] ?? 0);
      // An error thrown here passes the library's handlers and arrives here again.
      mistake ??= refuse(codeOf(code), firstLineOf(message), offset);
      throw mistake;
    },
  });
  let value: unknown = null;
  let found = 0;
  for (const document of composer.compose(readTokens(text, lines, { budget, refuse }))) {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) throw refuse(codeOf(problem.code), firstLineOf(problem.message), problem.pos[0]);
    found += 1;
    if (found > 1) throw refuse('syntax', 'a document is followed by another without a line of ---', document.range[0]);
    const contents: ParsedNode | null = document.contents;
    value = createNodeReader({ text, budget, refuse }).read(contents);
  }
  return value;
}

/** The explicit tags for JSON's own kinds. createNodeReader decides which value a tagged text has. */
const PLAIN_TAGS = ['int', 'float', 'bool', 'null'].map((name) => ({
  tag: `tag:yaml.org,2002:${name}`,
  resolve: (source: string) => source,
}));

type ErrorSource = number | readonly number[] | { offset: number };

interface TokenLimits {
  budget: YamlBudget;
  refuse(code: YamlErrorCode, message: string, offset: number): YamlError;
}

/** Lexes and parses in step, so that reading stops as soon as a text is nested too deep or has too many tokens. */
function* readTokens(text: string, lines: LineCounter, { budget, refuse }: TokenLimits): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  function* checked(some: Iterable<CST.Token>) {
    for (const token of some) {
      if (token.type === 'error') throw refuse('syntax', token.message, token.offset);
      yield token;
    }
  }
  for (const lexeme of new Lexer().lex(text)) {
    if (--budget.tokens < 0) {
      throw refuse(
        'too_complex',
        'has too many values for a text with anchors, tags, tabs or mistakes: leave these out, or make several stacks of it',
        Math.max(0, parser.offset),
      );
    }
    if (lexeme.charCodeAt(0) === ALIAS_SIGN && parser.offset >= 0 && --budget.aliases < 0) {
      throw refuse('too_many_aliases', `must have at most ${YAML_LIMITS.aliases} aliases`, parser.offset);
    }
    yield* checked(parser.next(lexeme));
    // The document itself takes one level, and the scalar that is being read takes another.
    if (parser.stack.length > YAML_LIMITS.depth + 2) {
      throw refuse('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`, parser.offset);
    }
  }
  yield* checked(parser.end());
}

const ALIAS_SIGN = '*'.charCodeAt(0);

const codeOf = (code: string): YamlErrorCode => (code === 'TAG_RESOLVE_FAILED' ? 'custom_tag' : 'syntax');

const firstLineOf = (message: string): string => (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
