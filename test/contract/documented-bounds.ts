import * as z from 'zod';
import { apiDocument } from '../../functions/system/api-document.ts';
import { endpoints } from './endpoint-calls.ts';

/** A bound that the OpenAPI document names for a part of a request, with a value just inside it and a value just outside. */
export interface Bound {
  /** The place in the body, or the parameter's name. */
  path: readonly string[];
  rule: string;
  outside: unknown;
  /** Undefined if a value inside may be refused for another reason. */
  inside?: unknown;
}

type Schema = Record<string, unknown>;
const Schemas = z.record(z.string(), z.record(z.string(), z.unknown()));
const document = apiDocument(endpoints);
const components = Schemas.parse(JSON.parse(JSON.stringify(document.components.schemas)));
const List = z.array(z.record(z.string(), z.unknown()));

/** The alternatives of a schema, after following its references. */
function resolved(schema: Schema): Schema[] {
  if (typeof schema.$ref === 'string') return resolved(components[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  return schema.anyOf ? List.parse(schema.anyOf).flatMap(resolved) : [schema];
}

const TEXTS = ['a', 'ä€', 'x y', ' ', '\u0001', 'a\u0001', 'a\n'];

function ofText({ minLength, maxLength, pattern }: Schema, path: readonly string[]): Bound[] {
  const bounds: Bound[] = [];
  const matches = typeof pattern === 'string' ? (text: string) => new RegExp(pattern, 'u').test(text) : () => true;
  if (typeof maxLength === 'number')
    bounds.push({ path, rule: `maxLength ${maxLength}`, outside: 'a'.repeat(maxLength + 1), inside: 'a'.repeat(maxLength) });
  if (typeof minLength === 'number')
    bounds.push({ path, rule: `minLength ${minLength}`, outside: 'a'.repeat(minLength - 1), inside: 'a'.repeat(minLength) });
  if (typeof pattern === 'string') {
    for (const outside of TEXTS.filter((text) => !matches(text))) {
      bounds.push({ path, rule: `pattern, ${JSON.stringify(outside)}`, outside, inside: TEXTS.find(matches) });
    }
  }
  return bounds;
}

function ofNumber({ minimum, maximum }: Schema, path: readonly string[]): Bound[] {
  const both = [
    typeof minimum === 'number' ? { path, rule: `minimum ${minimum}`, outside: minimum - 1, inside: minimum } : [],
    typeof maximum === 'number' ? { path, rule: `maximum ${maximum}`, outside: maximum + 1, inside: maximum } : [],
  ];
  return both.flat();
}

function ofList({ maxItems, items }: Schema, path: readonly string[]): Bound[] {
  if (typeof maxItems !== 'number') return [];
  const isId = Object(items).format === 'uuid';
  const item = isId ? '00000000-0000-4000-8000-000000000000' : {};
  return [{ path, rule: `maxItems ${maxItems}`, outside: Array(maxItems + 1).fill(item) }];
}

function boundsOf(schema: Schema, path: readonly string[]): Bound[] {
  return resolved(schema).flatMap((one) => {
    switch (one.type) {
      case 'string':
        return ofText(one, path);
      case 'integer':
      case 'number':
        return ofNumber(one, path);
      case 'array':
        return ofList(one, path);
      case 'object':
        return Object.entries(Schemas.parse(one.properties ?? {})).flatMap(([name, member]) => boundsOf(member, [...path, name]));
      default:
        return [];
    }
  });
}

const Operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()) })).default([]),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })) }).optional(),
});
const operations = new Map(
  Object.values(document.paths)
    .flatMap((item) => Object.values(item))
    .flatMap((operation) => Operation.safeParse(JSON.parse(JSON.stringify(operation))).data ?? [])
    .map((operation) => [operation.operationId, operation]),
);

export const bodyBounds = (id: string): Bound[] => boundsOf(operations.get(id)?.requestBody?.content['application/json']?.schema ?? {}, []);

export const queryBounds = (id: string): Bound[] =>
  (operations.get(id)?.parameters ?? [])
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name, schema }) => boundsOf(schema, [name]));
