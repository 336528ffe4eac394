import { isObject } from './json-object.ts';

const MASK = '…';
/** Names are how messages say which object or part they mean; they hide nothing. */
const NAME_FIELD = /^(?:name|namespace|kind|apiVersion|apiGroup)$|^(?!.*user).*Name$/i;
/** `type: ClusterIP`, `restartPolicy: Always`: one of a few words that the API itself defines. */
const CHOICE_FIELD = /(?:type|types|protocol|policy|mode|modes|operator|effect|scope|strategy|scheme)$/i;
const CHOICE = /^[A-Z][A-Za-z]*$/;
/** Shorter texts are words of any sentence: they are taken for a value only if they are quoted. */
const WORD_CHARACTERS_MIN = 4;
const PART_CHARACTERS_MIN = 6;
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
    if (NAME_FIELD.test(field) || isChoice) names.add(value);
    else for (const form of formsOf(value, object)) values.add(form);
  }
  let masked = text;
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    if (names.has(value) || fields.has(value) || !masked.includes(value)) continue;
    masked = masked.replace(occurrences(value), MASK);
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

/** As it stands, as JSON and Go escape it, a Secret's without its base64; and each part of it that a message could pick out. */
function* formsOf(value: string, { kind }: Readonly<Record<string, unknown>>): Generator<string> {
  const decoded = kind === 'Secret' && /^[\w+/]+={0,2}$/.test(value) ? Buffer.from(value, 'base64').toString() : undefined;
  for (const form of [value, decoded]) {
    if (form === undefined || form === '') continue;
    yield form;
    yield JSON.stringify(form).slice(1, -1);
    for (const part of form.split(BETWEEN_PARTS)) if (part.length >= PART_CHARACTERS_MIN && !/^[a-z]+$/.test(part)) yield part;
  }
}

function occurrences(value: string): RegExp {
  const escaped = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  if (value.length < WORD_CHARACTERS_MIN) return new RegExp(`(?<=["'\`])${escaped}(?=["'\`])`, 'g');
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'g');
}
