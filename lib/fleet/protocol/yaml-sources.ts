import { YAML_LIMITS, YamlError, type YamlPosition, type YamlSource } from './yaml-rules.ts';

/**
 * kubectl cuts a text at every line that begins with three hyphens, whatever stands around that line. In these expressions only \n ends a
 * line.
 */
const SEPARATOR = /(?<![^\n])---[^\n]*/g;
const SEPARATOR_ALONE = /^---\s*(?:#|$)/;

/** kubectl refuses these characters. It would take a lone carriage return for a line's end, as YAML 1.2 does. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for control characters
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|\r(?!\n)/;

/** Blank lines and comments before a document's content. */
const BEFORE_CONTENT = /(?:[ \t]*(?:#[^\n]*)?(?:\n|$))*/y;
const END_MARK = /(?<![^\n])\.\.\.(?=[ \t\n]|$)/;

/**
 * Cuts a text into its documents as kubectl does, without documents that have no content. Refuses a text that kubectl would refuse or would
 * leave out in part silently, and a document whose first character shows that it is no mapping.
 */
export function* splitYamlDocuments(whole: string): Generator<YamlSource> {
  checkCharacters(whole);
  const text = whole.includes('\r') ? whole.replaceAll('\r\n', '\n') : whole;
  let start = 0;
  let line = 1;
  let document = 0;
  let withContent = 0;

  function* cut(end: number): Generator<YamlSource> {
    const source = contentOf(text.slice(start, end), { document: document + 1, line });
    // Comments above the first separator don't make a document.
    if (source || start > 0) document += 1;
    if (source) withContent += 1;
    if (withContent > YAML_LIMITS.documents || document > 2 * YAML_LIMITS.documents)
      throw new YamlError('too_many_documents', `must have at most ${YAML_LIMITS.documents} documents`);
    if (source) yield source;
  }

  for (const { 0: separator, index } of text.matchAll(SEPARATOR)) {
    yield* cut(index);
    line += countLines(text, start, index);
    if (!SEPARATOR_ALONE.test(separator)) {
      throw new YamlError('unclear_text', 'a line that begins with --- separates documents: only a comment may follow', {
        document: document + 1,
        line,
      });
    }
    start = index + separator.length;
  }
  // kubectl reads a text that begins with a brace as JSON: one document after another, without anything between them.
  const ends = start === 0 && text.trimStart().startsWith('{') ? jsonEnds(text) : [];
  for (const end of ends) {
    yield* cut(end);
    line += countLines(text, start, end);
    start = end;
  }
  yield* cut(text.length);
}

/** Where JSON objects end that others follow. A text that is no JSON, such as a mapping in braces with bare words, is left whole. */
function jsonEnds(text: string): number[] {
  const ends: number[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0 && character === '}' && FOLLOWED_BY_OBJECT.test(text.slice(at + 1, at + 1 + BLANKS_MAX))) ends.push(at + 1);
  }
  return ends;
}

const BLANKS_MAX = 1_000;
const FOLLOWED_BY_OBJECT = /^\s*\{/;

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function checkCharacters(text: string): void {
  const at = text.search(FORBIDDEN);
  if (at === -1) return;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  throw new YamlError('unclear_text', `kubectl does not take the character U+${code}: write it as an escape in double quotes`, {
    document: (text.slice(0, at).match(SEPARATOR)?.length ?? 0) + (text.startsWith('---') ? 0 : 1),
    line: 1 + countLines(text, 0, at),
  });
}

/** Undefined if the document has no content. */
function contentOf(piece: string, { document, line: firstLine }: YamlPosition): YamlSource | undefined {
  // A document that was once a file of its own may begin with a byte order mark.
  const marked = piece.replace(/^(\n?)\ufeff/, '$1');
  const begin = contentIn(marked);
  const line = firstLine + countLines(marked, 0, begin);
  const refuse = (code: 'not_a_mapping' | 'unclear_text', message: string) => new YamlError(code, message, { document, line });
  if (/[\u2028\u2029]/.test(marked.slice(0, begin))) throw refuse('unclear_text', 'U+2028 and U+2029 end a comment to kubectl');
  const text = beforeEndMark(marked, { document, line: firstLine });
  if (begin >= text.length) return undefined;
  if (/^[ \t]*\ufeff/m.test(text)) throw refuse('unclear_text', 'a byte order mark may stand only where a document begins');
  if (text.startsWith('%', begin)) throw refuse('unclear_text', 'kubectl takes no directive (a line that begins with %)');
  if (/^(?:\[|-(?=[ \t\n]|$))/.test(text.slice(begin).trimStart().slice(0, 2))) {
    throw refuse('not_a_mapping', 'is a list, not an object; a list of objects has the kind List');
  }
  return { text, document, line, firstLine };
}

/** kubectl leaves out what follows `...` up to the next separator. */
function beforeEndMark(text: string, { document, line }: YamlPosition): string {
  const mark = END_MARK.exec(text);
  if (!mark) return text;
  const after = text.slice(mark.index + 3);
  if (contentIn(after) < after.length) {
    throw new YamlError('unclear_text', 'kubectl leaves out the text after ... : begin a new document with ---', {
      document,
      line: line + countLines(text, 0, mark.index),
    });
  }
  return text.slice(0, mark.index);
}

/** Returns the offset of the first text that is neither blank nor a comment. */
function contentIn(text: string): number {
  BEFORE_CONTENT.lastIndex = 0;
  BEFORE_CONTENT.test(text);
  return BEFORE_CONTENT.lastIndex;
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
