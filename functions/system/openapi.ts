import * as z from 'zod';
import document from '../../docs/openapi/openapi.json' with { type: 'json' };
import { reply } from '../../lib/platform/http/endpoint.ts';
import { HOME_CSP, HOME_PAGE } from './home-page.ts';
import { SWAGGER_CSP, SWAGGER_PAGE, swaggerFile } from './swagger-ui.ts';
import { systemEndpoint, systemFunction } from './system-endpoint.ts';

const tag = 'documentation';
const HTML = 'text/html; charset=utf-8';
const CACHED = 'public, max-age=3600';
/** `npm run openapi` writes this file from the endpoints; a test fails if it is stale. */
const DOCUMENT = JSON.stringify(document);

const page = (id: string, path: `/${string}`) =>
  systemEndpoint({
    id,
    method: 'GET',
    path,
    summary: 'Swagger UI',
    tag,
    access: 'public',
    status: 200,
    responseType: HTML,
    handle: async () =>
      reply<never>({
        headers: { 'content-type': HTML, 'content-security-policy': SWAGGER_CSP },
        text: SWAGGER_PAGE,
      }),
  });

/** API Gateway has no route for a path that ends in a slash, so the fallback function serves this one. */
export const swaggerIndexEndpoint = page('swagger_ui_index', '/swagger-ui/');

export const openapiEndpoints = [
  systemEndpoint({
    id: 'home_page',
    method: 'GET',
    path: '/',
    summary: 'Show what runs here, with links',
    tag,
    access: 'public',
    status: 200,
    responseType: HTML,
    handle: async () =>
      reply<never>({
        headers: {
          'content-type': HTML,
          'content-security-policy': HOME_CSP,
          'cache-control': 'no-cache',
        },
        text: HOME_PAGE,
      }),
  }),
  systemEndpoint({
    id: 'get_openapi_document',
    method: 'GET',
    path: '/docs/openapi.json',
    summary: 'This document',
    tag,
    access: 'public',
    status: 200,
    responseType: 'application/json',
    handle: async () => reply<never>({ headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' }, text: DOCUMENT }),
  }),
  page('swagger_ui', '/swagger-ui'),
  page('swagger_ui_openapi', '/openapi'),
  systemEndpoint({
    id: 'swagger_ui_file',
    method: 'GET',
    path: '/swagger-ui/{file}',
    summary: 'A file of Swagger UI',
    tag,
    access: 'public',
    params: z.object({ file: z.string() }),
    status: 200,
    responseType: 'text/javascript',
    async handle(_context, { params }) {
      const file = swaggerFile(params.file);
      if (!file) return reply<never>({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, text: 'not found' });
      const headers = { 'content-type': file.contentType, 'cache-control': CACHED };
      return reply<never>({ headers, text: file.text });
    },
  }),
];
export const handler = systemFunction(openapiEndpoints);
