import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { isDeeperThan } from '../../../platform/json-depth.ts';
import { createLruCache } from '../../../platform/lru-cache.ts';
import { OutOfTime, withinMs } from '../../../platform/time-limit.ts';
import { checksumOf } from '../../deployment-objects/deployment-object-repository.ts';
import type { ValueObject } from '../tera/values.ts';

/** A JSON Schema for a template's parameters can't be used. The message says why. */
export class SchemaError extends Error {
  override name = 'SchemaError';
}

export const SCHEMA_LIMITS = { bytes: 256 * 1024, depth: 32, compileMs: 3_000 } as const;
/** A hundred times what a usual check takes, because the time runs on while other work has the processor. */
const CHECK_MS = 1_000;
const ERRORS_TOLD = 20;
/** Compiled schemas are kept by their text. */
const compiled = createLruCache<ValidateFunction>(100);

const DRAFTS: Readonly<Record<string, typeof Ajv | typeof Ajv2020>> = {
  'https://json-schema.org/draft/2020-12/schema': Ajv2020,
  'http://json-schema.org/draft-07/schema': Ajv,
};
const OPTIONS = { allErrors: true, useDefaults: true, ownProperties: true, strict: false, logger: false } as const;

/** Compiles the text of a schema: draft 2020-12, or 7 if `$schema` says so. Throws a SchemaError. */
export function compileSchema(text: string): ValidateFunction {
  const key = checksumOf(text);
  const known = compiled.get(key);
  if (known) return known;
  const schema = parsed(text);
  const draft = typeof schema === 'object' && '$schema' in schema ? String(schema.$schema).replace(/#$/, '') : undefined;
  const Validator = draft === undefined ? Ajv2020 : Object.hasOwn(DRAFTS, draft) ? DRAFTS[draft] : undefined;
  if (!Validator) throw new SchemaError(`$schema: ${draft} is not supported; use draft 2020-12 or draft 7`);
  try {
    const validate = withinMs(SCHEMA_LIMITS.compileMs, () => {
      const ajv = new Validator(OPTIONS);
      addFormats.default(ajv);
      const check = ajv.compile(schema);
      // Some references are only followed by a check.
      check({});
      return check;
    });
    if ('$async' in validate) throw new SchemaError('$async is not supported');
    compiled.set(key, validate);
    return validate;
  } catch (error) {
    if (error instanceof SchemaError) throw error;
    if (error instanceof OutOfTime) throw new SchemaError(`it takes more than ${SCHEMA_LIMITS.compileMs} ms to compile`);
    throw new SchemaError(messageOf(error));
  }
}

/** A schema that refers to itself without end exhausts the stack. */
function messageOf(error: unknown): string {
  if (error instanceof RangeError) return 'it refers to itself without end, or is nested too deep';
  return error instanceof Error ? error.message.slice(0, 500) : 'it cannot be compiled';
}

function parsed(text: string): object | boolean {
  if (Buffer.byteLength(text) > SCHEMA_LIMITS.bytes) throw new SchemaError(`it has more than ${SCHEMA_LIMITS.bytes} bytes`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    throw new SchemaError(`it is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (isDeeperThan(SCHEMA_LIMITS.depth, schema)) throw new SchemaError(`it is nested more than ${SCHEMA_LIMITS.depth} deep`);
  if (typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null && !Array.isArray(schema))) return schema;
  throw new SchemaError('it must be an object, or true or false');
}

/** The parameters with the schema's defaults, or what is wrong with them: each with a JSON pointer. */
export type Checked = { parameters: ValueObject } | { violations: string[] };

/** Checks parameters against a schema. Those that are given stay as they are; a copy gets the defaults. */
export function checkParameters(validate: ValidateFunction, given: ValueObject): Checked {
  const parameters: ValueObject = structuredClone(given);
  try {
    const valid = withinMs(CHECK_MS, () => validate(parameters) === true);
    // Behind the check, since a default of the schema may be such a number.
    const inexact = inexactNumber(parameters, '');
    if (inexact !== undefined) return refused(`${inexact}: a whole number beyond 2^53 loses digits; give it as a text`);
    if (valid) return { parameters };
  } catch (error) {
    if (error instanceof OutOfTime) return refused(`/: checking them takes more than ${CHECK_MS} ms; simplify the schema's patterns`);
    return refused(`/: they can't be checked by the schema: ${messageOf(error)}`);
  }
  const errors = validate.errors?.slice(0, ERRORS_TOLD) ?? [];
  return refused(...errors.map(({ instancePath, message, params }) => `${instancePath || '/'}: ${message}${detail(params)}`));
}

/** Names of members can be very long: what is told is cut. */
const refused = (...violations: string[]): Checked => ({
  violations: violations.map((text) => (text.length > 500 ? `${text.slice(0, 500)}…` : text)),
});

function detail(params: Record<string, unknown>): string {
  if (typeof params.additionalProperty === 'string') return `: ${params.additionalProperty}`;
  return Array.isArray(params.allowedValues) ? `: ${JSON.stringify(params.allowedValues).slice(0, 200)}` : '';
}

function inexactNumber(value: unknown, pointer: string): string | undefined {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? pointer || '/' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = inexactNumber(inner, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
