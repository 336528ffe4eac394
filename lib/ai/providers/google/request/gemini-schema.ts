import { isObject } from '../../../wire/wire-values.ts';

type Schema = Record<string, unknown>;

/** Keywords of Google's own schemas, which are a part of OpenAPI's. The guide for providers has this list too. */
const KEPT: ReadonlySet<string> = new Set([
  'title',
  'description',
  'maxItems',
  'minItems',
  'maxLength',
  'minLength',
  'pattern',
  'minimum',
  'maximum',
  'minProperties',
  'maxProperties',
  'default',
  'example',
  'propertyOrdering',
]);
/** The formats that Google takes, by type. Others are refused. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  string: ['enum', 'date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};
/** Keywords that say nothing to a model. */
const SILENT: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$anchor',
  '$defs',
  'definitions',
  'deprecated',
  'readOnly',
  'writeOnly',
  'additionalProperties',
  'unevaluatedProperties',
  'strict',
  'type',
  'nullable',
  'format',
  'enum',
  'const',
  'properties',
  'required',
  'items',
  'prefixItems',
  'anyOf',
  'oneOf',
  'allOf',
  'examples',
]);

/**
 * A JSON schema without references as one of Google's. What Google's schemas can't say is kept as words in the description, so that the model
 * still reads it.
 */
export function geminiSchema(schema: unknown): Schema {
  if (!isObject(schema)) return { type: 'string', description: 'Any JSON value.' };
  const merged = withAllOf(schema);
  const { types, nullable } = typesOf(merged);
  const alternatives = alternativesOf(merged, types);
  if (alternatives) return union(merged, alternatives, nullable);
  const type = types[0] ?? impliedType(merged);
  const words: string[] = [];
  const result: Schema = { type, ...(nullable && { nullable: true }) };
  for (const [name, value] of Object.entries(merged)) {
    if (KEPT.has(name)) result[name] = value;
    else if (!SILENT.has(name) && !name.startsWith('x-')) words.push(inWords(name, value));
  }
  limitValues(merged, type, result, words);
  if (type === 'object') objectMembers(merged, result);
  if (type === 'array') result.items = geminiSchema(itemsOf(merged, words));
  return described(result, words);
}

/** Parameters of a function: an object. A function without parameters has none, because Google refuses an object without properties. */
export function geminiParameters(schema: Schema): Schema | undefined {
  const made = geminiSchema({ ...schema, type: 'object' });
  return isObject(made.properties) && Object.keys(made.properties).length > 0 ? made : undefined;
}

function typesOf({ type, nullable }: Schema): { types: string[]; nullable: boolean } {
  const all = (Array.isArray(type) ? type : [type]).filter((name): name is string => typeof name === 'string');
  const types = [...new Set(all.map((name) => name.toLowerCase()))].filter((name) => name !== 'null');
  return { types, nullable: nullable === true || types.length < all.length };
}

const impliedType = ({ properties, items, prefixItems, minimum, maximum }: Schema): string =>
  properties !== undefined
    ? 'object'
    : items !== undefined || prefixItems !== undefined
      ? 'array'
      : minimum !== undefined || maximum !== undefined
        ? 'number'
        : 'string';

/** The alternatives of `anyOf`, `oneOf` or a list of types; undefined if there is one alone. */
function alternativesOf({ anyOf, oneOf, ...rest }: Schema, types: readonly string[]): unknown[] | undefined {
  const listed = [anyOf, oneOf].find((list): list is unknown[] => Array.isArray(list) && list.length > 0);
  if (listed) return listed;
  return types.length > 1
    ? types.map((type) => ({ ...rest, type, title: undefined, description: undefined, nullable: undefined }))
    : undefined;
}

const isNull = (schema: unknown) => isObject(schema) && (schema.type === 'null' || schema.const === null);

function union(schema: Schema, alternatives: readonly unknown[], nullable: boolean): Schema {
  const others = alternatives.filter((alternative) => !isNull(alternative));
  const orNull = nullable || others.length < alternatives.length;
  const [only] = others;
  const texts = Object.fromEntries(
    ['title', 'description'].flatMap((name) => (typeof schema[name] === 'string' ? [[name, schema[name]]] : [])),
  );
  if (others.length <= 1) return { ...geminiSchema(only ?? { type: 'string' }), ...texts, ...(orNull && { nullable: true }) };
  return { anyOf: others.map(geminiSchema), ...texts, ...(orNull && { nullable: true }) };
}

/** All schemas of `allOf` at once. Their properties and required names add up; of other keywords the first wins. */
function withAllOf({ allOf, ...schema }: Schema): Schema {
  if (!Array.isArray(allOf)) return schema;
  const all = [schema, ...allOf.filter(isObject).map(withAllOf)];
  const properties = joined(all.map((part) => asRecord(part.properties)));
  const required = [...new Set(all.flatMap((part) => namesOf(part.required)))];
  return {
    ...joined(all),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

/** The members of all objects. The first object that has a member wins. `Object.assign` would not keep a member `__proto__`. */
const joined = (objects: readonly Schema[]): Schema => Object.fromEntries(objects.toReversed().flatMap((object) => Object.entries(object)));

const asRecord = (value: unknown): Schema => (isObject(value) ? value : {});
const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []);

function limitValues(schema: Schema, type: string, result: Schema, words: string[]): void {
  const values = schema.const !== undefined ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined;
  const texts = values?.filter((value) => value !== null);
  if (texts && texts.length > 0) {
    // Google knows only lists of texts.
    if (type === 'string' && texts.every((value) => typeof value === 'string' && value !== '')) result.enum = texts;
    else words.push(`One of: ${texts.map((value) => JSON.stringify(value)).join(', ')}.`);
  }
  if (values && texts && texts.length < values.length) result.nullable = true;
  const { format } = schema;
  if (typeof format !== 'string') return;
  if (FORMATS[type]?.includes(format)) result.format = format;
  else words.push(`Format: ${format}.`);
}

function objectMembers({ properties, required, additionalProperties }: Schema, result: Schema): void {
  if (!isObject(properties)) {
    if (isObject(additionalProperties)) result.description = [result.description, 'An object with any names.'].filter(Boolean).join(' ');
    return;
  }
  result.properties = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, geminiSchema(member)]));
  const known = namesOf(required).filter((name) => Object.hasOwn(properties, name));
  if (known.length > 0) result.required = known;
  if (Array.isArray(result.propertyOrdering))
    result.propertyOrdering = namesOf(result.propertyOrdering).filter((name) => Object.hasOwn(properties, name));
}

/** Google wants one schema for all items. The places of a tuple become alternatives. */
function itemsOf({ items, prefixItems }: Schema, words: string[]): unknown {
  const places = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
  if (!places) return items;
  words.push(`A tuple of ${places.length} items, in this order.`);
  return places.length === 0 ? undefined : { anyOf: places };
}

const inWords = (name: string, value: unknown): string => `${name}: ${(JSON.stringify(value) ?? 'null').slice(0, 300)}.`;

function described(schema: Schema, words: readonly string[]): Schema {
  if (words.length === 0) return schema;
  return { ...schema, description: [schema.description, ...words].filter((text) => typeof text === 'string' && text !== '').join(' ') };
}
