/**
 * Takes the values out of what an API server says about an object. It quotes them after some reasons (`Invalid value: "…": must be …`),
 * up to a whole pod template; field paths and reasons stay. https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#Error
 */
export function withoutQuotedValues(message: string): string {
  // The one type whose name has a space and braces: as `any` it is a name like others.
  const text = message.replaceAll('interface {}', 'any');
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(QUOTING)) {
    if (match.index < from) continue;
    const end = match.index + match[0].length;
    parts.push(text.slice(from, end));
    from = endOfValue(text, end);
    // `Invalid value: "x": must be y` reads as `Invalid value: must be y`.
    if (text.startsWith(': ', from)) from += 2;
    else parts[parts.length - 1] = parts.at(-1)?.replace(/:? $/, '') ?? '';
  }
  return [...parts, text.slice(from)]
    .join('')
    .replace(UNQUOTED, '$1: put it in quotes')
    .replace(TYPE_ERROR, '')
    .replace(/(\b(?:cannot parse|parsing)(?: time)? )"(?:[^"\\]|\\.)*"/g, '$1a value')
    .replace(/(cannot unmarshal \w+) \S+ (into )/g, '$1 $2')
    .replace(/ is missing in '.*'/gs, ' is missing');
}

const QUOTING = /\b(?:Invalid value|Unsupported value|Duplicate value|Not found|Too many|Too few): /g;
/** `country: NO` is a boolean and `port: 8080` a number. Who means a text has to quote it. */
const UNQUOTED = /(expected string), got &value\.valueUnstructured\{Value:(?:true|false|[-+.\de]+)\}/g;
/** Server-side apply names a path, the type it expected there, and the value it got. */
const TYPE_ERROR = /, got (?:(?!\n\s+\.).)*/gs;
const OPENING = new Map([
  ['{', '}'],
  ['[', ']'],
  ['(', ')'],
]);

/** The index behind a Go or JSON value: a quoted text, a dump in brackets, or one word. A dump that is cut off ends the message. */
function endOfValue(text: string, start: number): number {
  if (/["`]/.test(text[start] ?? '')) return endOfQuoted(text, start);
  const dump = /^[&*]?[\w.*]*[{[(]/.exec(text.slice(start, start + 200));
  if (!dump) return start + (/^[^\s,:\]]*/.exec(text.slice(start))?.[0].length ?? 0);
  const closing: string[] = [];
  for (let at = start + dump[0].length - 1; at < text.length; at += 1) {
    const character = text[at] ?? '';
    const close = OPENING.get(character);
    if (close) closing.push(close);
    else if (character === '"' || character === '`') at = endOfQuoted(text, at) - 1;
    else if (character === closing.at(-1)) closing.pop();
    // A type stands before its value: `[]string{"x"}`.
    if (closing.length === 0 && !/^[\w.*]*[{[(]/.test(text.slice(at + 1, at + 200))) return at + 1;
  }
  return text.length;
}

function endOfQuoted(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\' && quote === '"') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}
