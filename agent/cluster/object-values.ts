import { isObject } from './json-object.ts';

const MASK = '…';
/** Names are how messages say which object or part they mean; they hide nothing. */
const NAME_FIELD = /^(?:name|namespace|kind|apiVersion|apiGroup)$|^(?!.*user).*Name$/i;
/** `type: ClusterIP`, `restartPolicy: Always`: one of a few words that the API itself defines. */
const CHOICE_FIELD = /(?:type|types|protocol|policy|mode|modes|operator|effect|scope|strategy|scheme)$/i;
const CHOICE = /^[A-Z][A-Za-z]*$/;
/** Users choose the keys in these: a key there says nothing about its value. */
const FREE_KEYS = /^(?:data|stringData|binaryData|annotations|labels|values|parameters)$/;
/** Shorter texts are words of any sentence: they are taken for a value only if they are quoted. */
const WORD_CHARACTERS_MIN = 4;
const PART_CHARACTERS_MIN = 6;
/** `--password=swordfish`, `password: swordfish`: what is set, whatever it reads like. */
const SETTING = /^\s*-{0,2}[\w."'-]+\s*[=:]\s*["']?([^"']+)/;
const PASSWORD_IN_ADDRESS = /:\/\/[^\s/:@]*:([^\s/@]+)@/;
/** So much of a value that was cut off is recognised. */
const CUT_VALUE_CHARACTERS_MIN = 8;
const BETWEEN_PARTS = /[\s=:,;'"`<>(){}[\]|&@]+/;

/**
 * Masks every value of an object in a text that others wrote about it, such as an admission webhook's refusal or a controller's
 * condition. Names stay, and so do words that are also fields of the object.
 */
export function withoutValuesOf(text: string, object: Readonly<Record<string, unknown>>): string {
  const fields = new Set<string>();
  const values = new Set<string>();
  const names = new Set<string>();
  for (const { field, path, value } of leaves(object)) {
    for (const name of path) fields.add(name);
    const isChoice = CHOICE_FIELD.test(field) && CHOICE.test(value);
    const isFree = path.slice(0, -1).some((name) => FREE_KEYS.test(name));
    if (!isFree && (NAME_FIELD.test(field) || isChoice)) names.add(value);
    else for (const form of formsOf(value, object)) values.add(form);
  }
  let masked = text;
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    if (names.has(value) || fields.has(value)) continue;
    if (masked.includes(value)) masked = masked.replace(occurrences(value), MASK);
    masked = withoutCutValue(masked, value, (run) => names.has(run) || fields.has(run));
  }
  return masked;
}

interface Leaf {
  /** The nearest field's name: items of a list are in the list's field. */
  field: string;
  path: readonly string[];
  value: string;
}

function* leaves(value: unknown, path: readonly string[] = []): Generator<Leaf> {
  if (Array.isArray(value)) for (const item of value) yield* leaves(item, path);
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) if (path.length > 0 || name !== 'status') yield* leaves(item, [...path, name]);
  } else if (typeof value === 'string' || typeof value === 'number') yield { field: path.at(-1) ?? '', path, value: String(value) };
}

/** As it stands and as others write it, a Secret's without its base64; and each part of it that a message could pick out. */
function* formsOf(value: string, { kind }: Readonly<Record<string, unknown>>): Generator<string> {
  const decoded = kind === 'Secret' && /^[\w+/]+={0,2}$/.test(value) ? Buffer.from(value, 'base64').toString() : undefined;
  for (const form of [value, decoded]) {
    if (form === undefined || form === '') continue;
    yield* writtenFormsOf(form);
    for (const part of form.split(BETWEEN_PARTS)) if (part.length >= PART_CHARACTERS_MIN && !/^[a-z]+$/.test(part)) yield part;
    for (const line of form.split('\n'))
      for (const set of [SETTING.exec(line)?.[1], PASSWORD_IN_ADDRESS.exec(line)?.[1]]) if (set) yield set.trim();
  }
}

/** Plain, in JSON as most write it, in JSON as Go writes it, and in an address. */
function* writtenFormsOf(form: string): Generator<string> {
  const json = JSON.stringify(form).slice(1, -1);
  yield form;
  yield json;
  yield json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  if (form.isWellFormed()) yield encodeURIComponent(form);
}

/** Who quotes a long value often cuts it off, and a long text is cut off wherever that falls. */
function withoutCutValue(text: string, value: string, isName: (run: string) => boolean): string {
  const head = value.slice(0, CUT_VALUE_CHARACTERS_MIN);
  if (value.length <= CUT_VALUE_CHARACTERS_MIN) return text;
  for (let at = text.indexOf(head); at >= 0; at = text.indexOf(head, at + 1)) {
    let end = at + head.length;
    while (end < text.length && end - at < value.length && text[end] === value[end - at]) end += 1;
    const cutAt = /^(?:…|\.\.\.|$)/.exec(text.slice(end, end + 3));
    if (cutAt && !isName(text.slice(at, end)))
      return `${text.slice(0, at)}${MASK}${withoutCutValue(text.slice(end + cutAt[0].length), value, isName)}`;
  }
  return text;
}

function occurrences(value: string): RegExp {
  const escaped = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  if (value.length < WORD_CHARACTERS_MIN) return new RegExp(`(?<=["'\`])${escaped}(?=["'\`])`, 'g');
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'g');
}
