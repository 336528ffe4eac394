import * as z from 'zod';
import type { ErrorKind } from '../errors.ts';
import type { AnyEndpoint, BodyFormat } from './endpoint.ts';
import { type JsonSchema, REQUIRED, schemaCollector } from './json-schema.ts';
import { jsonBody } from './request-body.ts';
import { parameterNames } from './router.ts';

/** The parts of the document that don't come from endpoints. */
export interface OpenApiOptions {
  title: string;
  version: string;
  description?: string;
  /** The server's path; endpoints elsewhere carry a server of their own. */
  basePath: `/${string}`;
  /** The groups of operations, in the order of the document's readers. An endpoint's tag must be one of them. */
  tags: readonly { name: string; description: string }[];
  securitySchemes: Readonly<Record<string, JsonSchema>>;
  /** How the endpoint's surface writes answers and errors. */
  dialectOf(endpoint: AnyEndpoint): Dialect;
}

/** The part of the document that depends on an endpoint's surface. */
export interface Dialect {
  /** The security scheme of a kind of principal. */
  schemeOf(principal: string): string;
  statuses: Readonly<Record<ErrorKind, number>>;
  /** The status of an error code and its standard text. */
  errorOf(code: string): { status: number; text: string };
  /** The shape of an error on the wire. */
  errorSchema: z.ZodType;
  /** Whether a refusal for a missing or unknown key has a body. */
  unauthenticatedBody: boolean;
  /** The codes of general failures. */
  codes: { validation: string; json: string; tooLarge: string; mediaType: string; unavailable: string; internal: string };
  /** The answer on the wire around a response; the response itself if absent. The document names it after the operation. */
  wrap?(response: JsonSchema): JsonSchema;
}

type Operation = Record<string, unknown>;
type Schemas = ReturnType<typeof schemaCollector>;

/** The OpenAPI 3.1 document of these endpoints. The same endpoints give the same document, whatever their order. */
export function openApiDocument(endpoints: readonly AnyEndpoint[], options: OpenApiOptions) {
  const { title, version, description, basePath, tags, securitySchemes } = options;
  const schemas = schemaCollector();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of [...endpoints].sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method))) {
    if (endpoint.tag !== undefined && !tags.some(({ name }) => name === endpoint.tag)) throw new Error(`unknown tag: ${endpoint.tag}`);
    const below = endpoint.path.startsWith(`${basePath}/`);
    const path = below ? endpoint.path.slice(basePath.length) : endpoint.path;
    paths[path] ??= below ? {} : { servers: [{ url: '/' }] };
    if ('servers' in paths[path] === below) throw new Error(`${path} stands both below ${basePath} and beside it`);
    paths[path][endpoint.method.toLowerCase()] = operation(endpoint, schemas, options.dialectOf(endpoint));
  }
  const names = Object.keys(schemas.components).sort(compare);
  return {
    openapi: '3.1.0',
    info: { title, version, ...(description !== undefined && { description }) },
    servers: [{ url: basePath }],
    tags,
    paths,
    components: { securitySchemes, schemas: Object.fromEntries(names.map((name) => [name, schemas.components[name]])) },
  };
}
export type OpenApiDocument = ReturnType<typeof openApiDocument>;

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function operation(endpoint: AnyEndpoint, schemas: Schemas, dialect: Dialect): Operation {
  const { id, summary, description, tag, access } = endpoint;
  const parameters = [...pathParameters(endpoint, schemas), ...queryParameters(endpoint, schemas)];
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(tag !== undefined && { tags: [tag] }),
    ...(access === 'public'
      ? { security: [] }
      : { security: access.principals.map((principal) => ({ [dialect.schemeOf(principal)]: [] })), 'x-access': access.who }),
    ...(parameters.length > 0 && { parameters }),
    ...(endpoint.body && { requestBody: requestBody(endpoint, schemas) }),
    responses: responses(endpoint, schemas, dialect),
  };
}

const Members = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
});
const membersOf = (schema: z.ZodType | undefined, schemas: Schemas) => Members.parse(schema ? schemas.convert(schema, 'input') : {});

function pathParameters({ path, params }: AnyEndpoint, schemas: Schemas) {
  const { properties } = membersOf(params, schemas);
  return parameterNames(path).map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } }));
}

function queryParameters({ query }: AnyEndpoint, schemas: Schemas) {
  const { properties, required } = membersOf(query, schemas);
  return Object.entries(properties).map(([name, { description, [REQUIRED]: isRequired, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    ...((isRequired === true || required.includes(name)) && { required: true }),
    schema,
  }));
}

function requestBody({ body, bodyFormat = jsonBody }: AnyEndpoint, schemas: Schemas) {
  const json = { schema: schemas.convert(body, 'input') };
  const content = bodyFormat.accepts.map((type) => [type, type === 'application/json' ? json : { schema: { type: 'string' } }]);
  return { required: !bodyFormat.hasSubstitute && !acceptsEmptyBody(body, bodyFormat), content: Object.fromEntries(content) };
}

/** Whether the operation accepts an empty body, found out by decoding one. */
function acceptsEmptyBody(body: z.ZodType, format: BodyFormat): boolean {
  try {
    return body.safeParse(format.decode({ bytes: Buffer.alloc(0), mediaType: '', query: {} })).success;
  } catch {
    return false;
  }
}

function responses(endpoint: AnyEndpoint, schemas: Schemas, dialect: Dialect): Record<string, unknown> {
  const { status, summary, responseType, conditional } = endpoint;
  const { statuses } = dialect;
  const answer = answerSchema(endpoint, schemas, dialect);
  const content = {
    ...(answer && { 'application/json': { schema: answer } }),
    ...(responseType !== undefined && { [responseType]: { schema: { type: 'string' } } }),
  };
  const all: Record<string, unknown> = {
    [status]: { description: summary, ...(Object.keys(content).length > 0 && { content }) },
    ...(conditional && { 304: { description: 'Unchanged: If-None-Match names the current version' } }),
  };
  const error = { 'application/json': { schema: schemas.convert(dialect.errorSchema, 'output') } };
  // An endpoint that answers in text says `unavailable` in text too. A missing or unknown key is answered without a body.
  const contentOf = (failure: number) => {
    if (failure === statuses.unauthenticated && !dialect.unauthenticatedBody) return {};
    return { content: responseType !== undefined && failure === statuses.unavailable ? content : error };
  };
  for (const [failure, codes] of failuresOf(endpoint, dialect)) all[failure] = { description: codes.join('; '), ...contentOf(failure) };
  return all;
}

/** The schema of the answer. A wrapped one is a component of its own: generated clients need a name for each object. */
function answerSchema({ id, response }: AnyEndpoint, schemas: Schemas, { wrap }: Dialect): JsonSchema | undefined {
  if (!response) return undefined;
  const schema = schemas.convert(response, 'output');
  return wrap ? schemas.name(`${pascalCase(id)}Answer`, wrap(schema)) : schema;
}

const pascalCase = (name: string): string => name.replace(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());

/** Each status an endpoint may fail with, and the codes it may carry. */
function failuresOf(
  { access, params, query, body, bodyFormat = jsonBody, errors = [] }: AnyEndpoint,
  { statuses, errorOf, codes: general, unauthenticatedBody }: Dialect,
): Map<number, string[]> {
  const failures = new Map<number, string[]>();
  const add = (status: number, text: string) => failures.set(status, [...(failures.get(status) ?? []), text]);
  if (params || query) add(statuses.bad_request, `\`${general.validation}\`: a parameter breaks a rule`);
  if (body) add(statuses.payload_too_large, `\`${general.tooLarge}\`: the body is larger than this operation takes`);
  if (body && !bodyFormat.lenient) {
    add(statuses.bad_request, `${general.json}: the body cannot be read`);
    add(statuses.unsupported_media_type, `\`${general.mediaType}\`: the body has a content type that is not accepted`);
    add(statuses.unprocessable, `\`${general.validation}\`: a member of the body breaks a rule`);
  }
  if (access !== 'public') {
    add(
      statuses.unauthenticated,
      unauthenticatedBody ? 'The token or key is missing, unknown or expired' : 'The key is missing or unknown; the answer has no body',
    );
    add(statuses.forbidden, `Only for ${access.who}`);
  }
  for (const code of errors) {
    const { status, text } = errorOf(code);
    add(status, `\`${code}\`: ${text}`);
  }
  if (access !== 'public')
    add(
      statuses.unavailable,
      `\`${general.unavailable}\`: the store is busy, or other callers change the same records; \`Retry-After\` says when to try again`,
    );
  add(statuses.internal, `\`${general.internal}\`: the fault is ours; the message contains the request id`);
  return failures;
}
