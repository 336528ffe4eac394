import type { Json, JsonObject } from './chat.ts';

import { LISTS_OF_SCHEMAS, MAPS_OF_SCHEMAS, SINGLE_SCHEMAS } from './json-schema-keywords.ts';
import { requestError } from './request-error.ts';

const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 64;

export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A piece of the result with its size as JSON and its height, so that a definition that is used often is measured once. */
interface Measured {
  value: Json;
  bytes: number;
  height: number;
}

/**
 * The schema without `$ref`: each reference is replaced by what it names. A definition that contains itself becomes an open object at the
 * second level. The result is bounded, whatever the caller sent: 256 KiB and 64 levels, else an error that names `param`. Each definition
 * is worked out once.
 */
export function inlineRefs(schema: JsonObject, param: string): JsonObject {
  const done = new Map<string, Measured>();
  const open = new Set<string>();

  const refuse = (reason: string) => requestError(param, `The JSON schema in '${param}' ${reason}.`);
  const bounded = (measured: Measured, depth: number): Measured => {
    if (measured.bytes > MAX_BYTES) throw refuse('is larger than 256 KiB when its references are replaced by what they name');
    if (depth + measured.height > MAX_DEPTH) throw refuse('is nested deeper than 64 levels when its references are replaced');
    return measured;
  };

  const collect = (entries: (readonly [string, Measured])[], depth: number): Measured => {
    let bytes = 2;
    let height = 0;
    for (const [name, { bytes: size, height: inner }] of entries) {
      bytes += name.length + 4 + size;
      height = Math.max(height, inner + 1);
    }
    return bounded({ value: Object.fromEntries(entries.map(([name, { value }]) => [name, value])), bytes, height }, depth);
  };
  const collectList = (items: Measured[], depth: number): Measured => {
    const bytes = items.reduce((sum, item) => sum + item.bytes + 1, 2);
    const height = items.reduce((most, item) => Math.max(most, item.height + 1), 0);
    return bounded({ value: items.map(({ value }) => value), bytes, height }, depth);
  };
  const data = (value: Json): Measured => ({ value, bytes: JSON.stringify(value).length, height: 0 });

  function definition(ref: string, depth: number): Measured {
    const known = done.get(ref);
    if (known) return bounded(known, depth);
    if (open.has(ref)) return data({ type: 'object' });
    const target = resolvePointer(schema, ref);
    if (target === undefined) throw refuse(`has the reference '${ref.slice(0, 100)}', which names nothing inside the schema`);
    open.add(ref);
    const result = walk(target, depth);
    open.delete(ref);
    done.set(ref, result);
    return result;
  }

  function walk(value: Json, depth: number): Measured {
    if (depth > MAX_DEPTH) throw refuse('is nested deeper than 64 levels when its references are replaced');
    if (!isJsonObject(value)) return data(value);
    const { $ref } = value;
    if (typeof $ref === 'string') return withSiblings(definition($ref, depth), value, depth);
    return collect(members(value, depth), depth);
  }

  function members(value: JsonObject, depth: number): (readonly [string, Measured])[] {
    const entries: (readonly [string, Measured])[] = [];
    for (const [name, member] of Object.entries(value)) {
      if (name === '$defs' || name === 'definitions' || name === '$ref') continue;
      if (MAPS_OF_SCHEMAS.has(name) && isJsonObject(member)) {
        const inner = Object.entries(member).map(([key, one]) => [key, walk(one, depth + 2)] as const);
        entries.push([name, collect(inner, depth + 1)]);
      } else if (Array.isArray(member) && (LISTS_OF_SCHEMAS.has(name) || SINGLE_SCHEMAS.has(name))) {
        entries.push([
          name,
          collectList(
            member.map((one) => walk(one, depth + 2)),
            depth + 1,
          ),
        ]);
      } else if (SINGLE_SCHEMAS.has(name)) entries.push([name, walk(member, depth + 1)]);
      else entries.push([name, data(member)]);
    }
    return entries;
  }

  /** Keywords beside a `$ref`, such as a description, win over those of the definition. */
  function withSiblings(found: Measured, value: JsonObject, depth: number): Measured {
    const siblings = members(value, depth);
    if (siblings.length === 0 || !isJsonObject(found.value)) return found;
    const beside = collect(siblings, depth);
    const merged = isJsonObject(beside.value) ? { ...found.value, ...beside.value } : found.value;
    return bounded({ value: merged, bytes: found.bytes + beside.bytes, height: Math.max(found.height, beside.height) }, depth);
  }

  const { value } = walk(schema, 0);
  return isJsonObject(value) ? value : {};
}

/** Some reference of the schema leads back to itself. */
export function hasRecursiveRefs(schema: JsonObject): boolean {
  const finished = new Set<string>();
  const open = new Set<string>();
  const recursive = (value: Json, depth: number): boolean => {
    if (Array.isArray(value)) return depth < MAX_DEPTH * 2 && value.some((one) => recursive(one, depth + 1));
    if (!isJsonObject(value) || depth > MAX_DEPTH * 2) return false;
    const { $ref } = value;
    if (typeof $ref === 'string') {
      if (open.has($ref)) return true;
      if (!finished.has($ref)) {
        open.add($ref);
        const target = resolvePointer(schema, $ref);
        if (target !== undefined && recursive(target, depth + 1)) return true;
        open.delete($ref);
        finished.add($ref);
      }
    }
    return Object.entries(value).some(([name, member]) => {
      if (MAPS_OF_SCHEMAS.has(name) && isJsonObject(member)) return Object.values(member).some((one) => recursive(one, depth + 1));
      return (LISTS_OF_SCHEMAS.has(name) || SINGLE_SCHEMAS.has(name)) && recursive(member, depth + 1);
    });
  };
  return recursive(schema, 0);
}

/** The part of the schema that a local reference (`#/$defs/a`) names; undefined if there is none. */
function resolvePointer(schema: JsonObject, ref: string): Json | undefined {
  if (ref === '#') return schema;
  if (!ref.startsWith('#/')) return undefined;
  let at: Json | undefined = schema;
  for (const part of ref.slice(2).split('/')) {
    const name = unescapePointer(part);
    if (name === undefined || typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Array.isArray(at) ? at[Number(name)] : at[name];
  }
  return at;
}

function unescapePointer(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
