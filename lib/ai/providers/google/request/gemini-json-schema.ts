import { isObject } from '../../../wire/wire-values.ts';

type Schema = Record<string, unknown>;

/** Keywords of JSON Schema that `responseJsonSchema` takes. The guide for providers has this list too. */
const KEPT: ReadonlySet<string> = new Set([
  '$id',
  '$ref',
  '$anchor',
  'type',
  'format',
  'title',
  'description',
  'enum',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'required',
  'propertyOrdering',
]);
const SILENT: ReadonlySet<string> = new Set(['$schema', '$comment', 'deprecated', 'readOnly', 'writeOnly', 'examples', 'strict']);

/**
 * A JSON schema as Google's `responseJsonSchema` takes it. References stay. Keywords that Google refuses or ignores are kept as words in the
 * description, and every object is closed, as OpenAI's structured output wants it.
 */
export function geminiJsonSchema(schema: unknown): Schema {
  if (!isObject(schema)) return schema === false ? { type: 'null' } : {};
  // Google allows nothing but `$defs` beside a reference.
  if (typeof schema.$ref === 'string') return { $ref: schema.$ref.replace('#/definitions/', '#/$defs/'), ...definitions(schema) };
  const result: Schema = definitions(schema);
  const words: string[] = [];
  for (const [name, value] of Object.entries(schema)) {
    if (name === '$defs' || name === 'definitions') continue;
    if (KEPT.has(name)) result[name] = value;
    else if (!keepStructure(name, value, result) && !SILENT.has(name))
      words.push(`${name}: ${(JSON.stringify(value) ?? 'null').slice(0, 300)}.`);
  }
  const describesObject = isObject(schema.properties) || schema.type === 'object';
  if (describesObject && result.additionalProperties === undefined) result.additionalProperties = false;
  if (words.length > 0)
    result.description = [result.description, ...words].filter((text) => typeof text === 'string' && text !== '').join(' ');
  return result;
}

/** Members that hold schemas, and those that have another spelling at Google. Returns false for others. */
function keepStructure(name: string, value: unknown, result: Schema): boolean {
  switch (name) {
    case 'properties':
      if (isObject(value)) result.properties = mapped(value);
      return isObject(value);
    case 'items':
      result.items = Array.isArray(value) ? undefined : geminiJsonSchema(value);
      if (Array.isArray(value)) result.prefixItems = value.map(geminiJsonSchema);
      return true;
    case 'additionalProperties':
      if (value === false || isObject(value)) result.additionalProperties = value === false ? false : geminiJsonSchema(value);
      return true;
    case 'prefixItems':
    case 'anyOf':
    case 'oneOf':
      if (!Array.isArray(value)) return false;
      result[name === 'oneOf' ? 'anyOf' : name] = value.map(geminiJsonSchema);
      return true;
    case 'const':
      result.enum = [value];
      return true;
    case 'nullable':
      return true;
    default:
      return false;
  }
}

/** Google knows the name `$defs` only. */
function definitions(schema: Schema): Schema {
  const all = { ...(isObject(schema.definitions) && schema.definitions), ...(isObject(schema.$defs) && schema.$defs) };
  return Object.keys(all).length === 0 ? {} : { $defs: mapped(all) };
}

const mapped = (schemas: Schema): Schema =>
  Object.fromEntries(Object.entries(schemas).map(([name, member]) => [name, geminiJsonSchema(member)]));

/** Every reference names a definition of the schema itself, as Google takes them. */
export const hasPlainRefs = (schemaText: string): boolean =>
  [...schemaText.matchAll(/"\$ref":"((?:[^"\\]|\\.)*)"/g)].every(([, reference = '']) =>
    /^#\/(\$defs|definitions)\/[^/]+$/.test(reference),
  );
