import type { Json, JsonObject } from '../../wire/chat.ts';
import { hasRecursiveRefs, inlineRefs, isJsonObject } from '../../wire/json-schema-refs.ts';
import { requestError } from '../../wire/request-error.ts';

/**
 * Keywords that Claude's structured output takes. Everything else is taken out of the copy that is sent, and kept as words in the
 * description: the model reads it, but the answer is no longer guaranteed to follow it. docs/guides/providers.md has the list.
 */
const KEPT: ReadonlySet<string> = new Set(['type', 'enum', 'const', 'title', 'default', 'required', '$ref']);
/** These say nothing about the value, so that no words are kept of them. */
const SILENT: ReadonlySet<string> = new Set(['$schema', '$id', '$comment', '$anchor', 'description', 'additionalProperties']);
const FORMATS: ReadonlySet<string> = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);
const MAX_DEPTH = 64;
const LONGEST_WORDS = 500;

/** A copy of the schema that Claude's structured output and its strict tools take. The caller's own stays as it is. */
export function strictSchema(schema: JsonObject, param: string): JsonObject {
  const whole = hasRecursiveRefs(schema) ? inlineRefs(schema, param) : schema;
  return strictCopy(whole, param, 0);
}

function strictCopy(schema: JsonObject, param: string, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw requestError(param, `The JSON schema in '${param}' is nested deeper than ${MAX_DEPTH} levels.`);
  const entries: [string, Json][] = [];
  const words: string[] = [];
  const inner = (value: Json): Json => (isJsonObject(value) ? strictCopy(value, param, depth + 1) : value);
  const innerMap = (map: JsonObject): JsonObject => Object.fromEntries(Object.entries(map).map(([name, one]) => [name, inner(one)]));

  for (const [name, value] of Object.entries(schema)) {
    if ((name === 'properties' || name === '$defs' || name === 'definitions') && isJsonObject(value)) entries.push([name, innerMap(value)]);
    else if (name === 'items' && isJsonObject(value)) entries.push([name, inner(value)]);
    else if ((name === 'anyOf' || name === 'allOf') && Array.isArray(value)) entries.push([name, value.map(inner)]);
    else if (name === 'oneOf' && Array.isArray(value) && !Array.isArray(schema.anyOf)) entries.push(['anyOf', value.map(inner)]);
    else if (isKept(name, value, param)) entries.push([name, value]);
    else if (name === 'additionalProperties' && isJsonObject(value)) words.push(wordsFor(name, value));
    else if (!SILENT.has(name)) words.push(wordsFor(name, value));
  }
  if (isObjectSchema(schema)) entries.push(['additionalProperties', false]);
  const described = [schema.description, words.length > 0 && `(${words.join('; ')})`].filter(
    (text) => typeof text === 'string' && text !== '',
  );
  if (described.length > 0) entries.push(['description', described.join('\n')]);
  return Object.fromEntries(entries);
}

function isKept(name: string, value: Json, param: string): boolean {
  switch (name) {
    case '$ref':
      if (typeof value === 'string' && value.startsWith('#')) return true;
      throw requestError(param, `The JSON schema in '${param}' refers to another document, which the provider can't read.`);
    case 'format':
      return typeof value === 'string' && FORMATS.has(value);
    case 'minItems':
      return value === 0 || value === 1;
    case 'enum':
      return Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
    default:
      return KEPT.has(name);
  }
}

const isObjectSchema = ({ type, properties }: JsonObject) =>
  type === 'object' || (Array.isArray(type) && type.includes('object')) || (type === undefined && isJsonObject(properties));

const wordsFor = (name: string, value: Json) => `${name}: ${JSON.stringify(value).slice(0, LONGEST_WORDS)}`;
