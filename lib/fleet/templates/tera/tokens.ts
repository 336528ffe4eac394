import { TemplateSyntaxError, type TextPlace } from '../template-error.ts';
import { TEMPLATE_LIMITS } from '../template-limits.ts';
import { foreignSyntax } from './foreign-syntax.ts';

/** A piece of a template: text, or a tag with its tokens. */
export type Piece = { kind: 'text'; text: string } | { kind: 'print' | 'statement'; tokens: readonly Token[]; inside: string };

export interface Token {
  kind: 'name' | 'string' | 'number' | 'symbol';
  text: string;
  place: TextPlace;
  /** Whether white space stands before it. */
  spaced: boolean;
}

const TOKEN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(\d+(?:\.\d+)?)|("[^"]*"|'[^']*'|`[^`]*`)|(==|!=|<=|>=|::|[-+*/%~|.,:()[\]<>=]))/y;
const OPEN = /\{\{-?|\{%-?|\{#-?/g;
const CLOSE = { '{{': '}}', '{%': '%}', '{#': '#}' } as const;

/** Finds line and column of an offset. Lines are looked up by halving, so that a long template costs no more. */
export function placesIn(text: string): (offset: number) => TextPlace {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Takes a template apart. Whitespace control (`{{-`, `-%}`) and comments are dealt with here. */
export function piecesOf(text: string): Piece[] {
  const placeOf = placesIn(text);
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  let count = 0;
  const addText = (raw: string, trimEnd: boolean) => {
    const start = trimNext ? raw.trimStart() : raw;
    const kept = trimEnd ? start.trimEnd() : start;
    if (kept !== '') pieces.push({ kind: 'text', text: kept });
  };
  for (;;) {
    OPEN.lastIndex = at;
    const open = OPEN.exec(text);
    if (!open) break;
    addText(text.slice(at, open.index), open[0].endsWith('-'));
    const tag = open[0].slice(0, 2) as keyof typeof CLOSE;
    const inside = open.index + open[0].length;
    const end =
      tag === '{#'
        ? endOfComment(text, inside, open.index, placeOf)
        : endOfTag(text, { inside, open: open.index, close: CLOSE[tag] }, placeOf);
    trimNext = text[end - 1] === '-' && end > inside;
    at = end + 2;
    if (tag === '{#') continue;
    const to = trimNext ? end - 1 : end;
    const tokens = tokensIn(text, { from: inside, to, tag }, placeOf);
    count += tokens.length + 2;
    if (count > TEMPLATE_LIMITS.tokens)
      throw new TemplateSyntaxError(`the tags consist of more than ${TEMPLATE_LIMITS.tokens} words and signs`, placeOf(open.index));
    if (tokens.length === 0) throw new TemplateSyntaxError('the tag is empty', placeOf(open.index));
    const [first] = tokens;
    if (tag === '{%' && first?.text === 'raw' && tokens.length === 1) {
      const raw = endOfRaw(text, at, open.index, placeOf);
      addText(text.slice(at, raw.from), raw.trimBefore);
      [at, trimNext] = [raw.to, raw.trimAfter];
      continue;
    }
    pieces.push({ kind: tag === '{{' ? 'print' : 'statement', tokens, inside: tag === '{{' ? text.slice(inside, to) : '' });
  }
  addText(text.slice(at), false);
  return pieces;
}

function endOfComment(text: string, inside: number, open: number, placeOf: (offset: number) => TextPlace): number {
  const end = text.indexOf('#}', inside);
  if (end < 0) throw new TemplateSyntaxError('the comment is not closed: "#}" is missing', placeOf(open));
  return end;
}

/** The end of a tag is looked for outside of strings. */
function endOfTag(
  text: string,
  { inside, open, close }: { inside: number; open: number; close: string },
  placeOf: (offset: number) => TextPlace,
): number {
  for (let at = inside; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'" || character === '`') {
      const quoted = text.indexOf(character, at + 1);
      if (quoted < 0) throw new TemplateSyntaxError(`the text that begins with ${character} is not closed`, placeOf(at));
      at = quoted;
    } else if (text.startsWith(close, at)) {
      return at;
    }
  }
  throw new TemplateSyntaxError(`the tag is not closed: "${close}" is missing`, placeOf(open));
}

const END_RAW = /\{%(-?)\s*endraw\s*(-?)%\}/g;
function endOfRaw(text: string, from: number, open: number, placeOf: (offset: number) => TextPlace) {
  END_RAW.lastIndex = from;
  const end = END_RAW.exec(text);
  if (!end) throw new TemplateSyntaxError('the raw block is not closed: "{% endraw %}" is missing', placeOf(open));
  return { from: end.index, to: end.index + end[0].length, trimBefore: end[1] === '-', trimAfter: end[2] === '-' };
}

function tokensIn(
  text: string,
  { from, to, tag }: { from: number; to: number; tag: string },
  placeOf: (offset: number) => TextPlace,
): Token[] {
  const tokens: Token[] = [];
  for (let at = from; at < to; ) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found || TOKEN.lastIndex > to) {
      const rest = text.slice(at, to);
      if (rest.trim() === '') break;
      const offset = at + (rest.length - rest.trimStart().length);
      const hint = tag === '{{' ? foreignSyntax(text.slice(from, to)) : undefined;
      throw new TemplateSyntaxError(hint ?? `unexpected ${JSON.stringify(text[offset])}`, placeOf(offset));
    }
    if (tokens.length >= TEMPLATE_LIMITS.tagTokens)
      throw new TemplateSyntaxError(`the tag consists of more than ${TEMPLATE_LIMITS.tagTokens} words and signs`, placeOf(from));
    const [, name, number, string, symbol = ''] = found;
    const word = name ?? number ?? string ?? symbol;
    const start = TOKEN.lastIndex - word.length;
    const common = { place: placeOf(start), spaced: start > at };
    if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1), ...common });
    else tokens.push({ kind: name !== undefined ? 'name' : number !== undefined ? 'number' : 'symbol', text: word, ...common });
    at = TOKEN.lastIndex;
  }
  return tokens;
}
