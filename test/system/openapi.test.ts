import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as z from 'zod';
import { httpGroups } from '../../functions/registry.ts';
import { apiDocument } from '../../functions/system/api-document.ts';
import { systemSurface } from '../../functions/system/system-endpoint.ts';
import { FLEET_STATUS } from '../../lib/fleet/fleet-errors.ts';
import type { AnyEndpoint } from '../../lib/platform/http/endpoint.ts';
import { openApiDocument } from '../../lib/platform/http/openapi-document.ts';
import { expectations } from '../contract/authorization-expectations.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

const endpoints = httpGroups.flatMap((group) => group.endpoints);
const document = apiDocument(endpoints);
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

interface Operation {
  operationId: string;
  security: Record<string, never>[];
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>;
  requestBody?: { required: boolean; content: Record<string, { schema: unknown }> };
  parameters?: { name: string; in: string; required?: boolean }[];
}
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => ({ path, method, operation: item[method] as Operation })),
);

test('the committed OpenAPI document is the one that `npm run openapi` writes from the endpoints', async () => {
  const committed = await readFile(new URL('../../docs/openapi/openapi.json', import.meta.url), 'utf8');
  expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(document)));
});

test('the OpenAPI document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
});

test('the OpenAPI document is served without a key and does not describe the agents’ own channel', async () => {
  const answer = await host.root.get('/docs/openapi.json');
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
  expect(answer.body).toMatchObject({ openapi: '3.1.0', info: { title: 'brokkr-broker' }, servers: [{ url: '/api/v1' }] });
  expect(answer.text).not.toContain('/internal/ws');
});

test('the OpenAPI document has a unique operation id for every endpoint but the pages', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const wanted = endpoints.filter(({ tag }) => tag !== 'documentation').map(({ id }) => id);
  expect([...ids].sort()).toEqual([...wanted].sort());
});

test('paths in the OpenAPI document below /api/v1 have no prefix, and others name their server', () => {
  expect(document.paths['/agents/{id}']).not.toHaveProperty('servers');
  expect(document.paths['/healthz']).toHaveProperty('servers', [{ url: '/' }]);
});

test('every operation in the OpenAPI document says whether it needs a key, and which one', () => {
  for (const { operation } of operations) {
    const { access } = endpoints.find(({ id }) => id === operation.operationId) ?? {};
    expect({ id: operation.operationId, keyed: operation.security.length > 0 }).toEqual({
      id: operation.operationId,
      keyed: access !== 'public',
    });
  }
  const schemes = Object.entries(document.components.securitySchemes);
  expect(schemes.map(([scheme, { type, in: where, name }]) => [scheme, type, where, name])).toEqual([
    ...['admin_pak', 'agent_pak', 'generator_pak'].map((scheme) => [scheme, 'apiKey', 'header', 'Authorization']),
    ['user_token', 'http', undefined, undefined],
    ['project_key', 'apiKey', 'header', 'X-API-Key'],
  ]);
});

test('every operation in the OpenAPI document names the keys of exactly the callers that it admits', () => {
  for (const { operation } of operations) {
    const expectation = expectations[operation.operationId];
    if (expectation === undefined || expectation === 'public') continue;
    const [admin, agentA, agentB, generatorA, generatorB] = expectation.statuses.map((status) => status !== 403);
    const letIn = [admin && 'admin_pak', (agentA || agentB) && 'agent_pak', (generatorA || generatorB) && 'generator_pak'].filter(Boolean);
    expect({ id: operation.operationId, keys: operation.security.flatMap(Object.keys) }).toEqual({
      id: operation.operationId,
      keys: letIn,
    });
  }
});

test('the OpenAPI document marks mandatory parameters as required, and optional bodies not', () => {
  const search = operations.find(({ operation }) => operation.operationId === 'search_agent')?.operation;
  expect(search?.parameters?.map(({ name, required }) => [name, required])).toEqual([
    ['name', true],
    ['cluster_name', true],
  ]);
  const optional = operations.flatMap(({ operation }) => (operation.requestBody?.required === false ? operation.operationId : []));
  expect(optional.sort()).toEqual([
    'accept_invitation',
    'deregister_agent',
    'logout',
    'record_heartbeat',
    'revoke_all_sessions',
    'revoke_session',
  ]);
});

test('every reference in the OpenAPI document has a schema, and every schema has a reference', () => {
  const used = new Set([...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
});

test('every JSON object of the OpenAPI document has a schema name, which generated clients need', () => {
  const anonymous = operations.flatMap(({ operation }) => {
    const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) => Object.values(part?.content ?? {}));
    return contents
      .filter(({ schema }) => /^\{"type":"(object|array","items":\{"type":"object)/.test(JSON.stringify(schema)))
      .map(() => operation.operationId);
  });
  expect(anonymous).toEqual([]);
});

test('the OpenAPI document declares every parameter of a path once', () => {
  for (const { path, operation } of operations) {
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    expect(declared).toEqual([...path.matchAll(/{(\w+)}/g)].map(([, name]) => name));
  }
});

test('every error in the OpenAPI document has the shape of its surface, except that text operations say `unavailable` in text', () => {
  const shapes: Readonly<Record<string, string>> = { dashboard: 'EnvelopeError', routing: 'EnvelopeError', inference: 'InferenceError' };
  for (const { operation } of operations) {
    const surface = endpoints.find(({ id }) => id === operation.operationId)?.surface.name ?? '';
    const shape = shapes[surface] ?? 'ErrorResponse';
    const text = Object.keys(operation.responses[200]?.content ?? {}).find((type) => type.startsWith('text/plain'));
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 400 || (status === '401' && shape === 'ErrorResponse')) continue;
      if (text && status === '503') expect(response.content).toEqual({ [text]: { schema: { type: 'string' } } });
      else expect(Object.values(response.content ?? {})).toEqual([{ schema: { $ref: `#/components/schemas/${shape}` } }]);
    }
  }
});

test('an OpenAPI document with two different schemas of one name is refused', () => {
  const answering = (path: `/${string}`, response: z.ZodType): AnyEndpoint => {
    const handle = async () => undefined;
    return { surface: systemSurface, id: path, method: 'GET', path, summary: '', access: 'public', status: 200, response, handle };
  };
  const twins = [z.object({ a: z.string() }), z.object({ b: z.string() })].map((schema) => schema.meta({ id: 'Twin' }));
  const options = {
    title: '',
    version: '',
    basePath: '/api' as const,
    tags: [],
    securitySchemes: {},
    dialectOf: () => ({
      schemeOf: () => '',
      statuses: FLEET_STATUS,
      errorOf: () => ({ status: 400, text: '' }),
      errorSchema: z.object({ code: z.string() }),
      unauthenticatedBody: false,
      codes: { validation: '', json: '', tooLarge: '', mediaType: '', unavailable: '', internal: '' },
    }),
  };
  const both = twins.map((twin, index) => answering(`/${index}`, twin));
  expect(() => openApiDocument(both, options)).toThrow('two different schemas are named Twin');
});
