import * as z from 'zod';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { referenceFile } from './reference-files.ts';
import { BUILDING_PAGE, MISSING_PAGE, prepareReference } from './reference-ready.ts';
import { systemEndpoint, systemFunction } from './system-endpoint.ts';

const tag = 'documentation';
const HTML = 'text/html; charset=utf-8';
/** The pages have a path segment of their own, so that they never collide with a path of the API. */
const HOME = '/api/reference/index.html';

async function file(...segments: string[]) {
  const found = await referenceFile(segments);
  return reply<never>(found ?? { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, text: 'not found' });
}

export const referenceEndpoints = [
  systemEndpoint({
    id: 'get_reference',
    method: 'GET',
    path: '/api',
    summary: "The code's reference",
    tag,
    access: 'public',
    status: 200,
    responseType: HTML,
    async handle({ request }) {
      const headers = { 'content-type': HTML, 'content-security-policy': "default-src 'none'", 'cache-control': 'no-store' };
      const state = await prepareReference(request.log);
      if (state === 'building') return reply<never>({ status: 503, headers: { ...headers, 'retry-after': '5' }, text: BUILDING_PAGE });
      // A reference that was built by hand, or packaged without the code, is shown too.
      if (await referenceFile(['index.html'])) return reply<never>({ status: 302, headers: { location: HOME }, text: '' });
      return reply<never>({ status: 404, headers, text: MISSING_PAGE });
    },
  }),
  systemEndpoint({
    id: 'get_reference_page',
    method: 'GET',
    path: '/api/reference/{file}',
    summary: "A page of the code's reference",
    tag,
    access: 'public',
    params: z.object({ file: z.string() }),
    status: 200,
    responseType: HTML,
    handle: (_context, { params }) => file(params.file),
  }),
  systemEndpoint({
    id: 'get_reference_page_in_folder',
    method: 'GET',
    path: '/api/reference/{folder}/{file}',
    summary: "A page of the code's reference",
    tag,
    access: 'public',
    params: z.object({ folder: z.string(), file: z.string() }),
    status: 200,
    responseType: HTML,
    handle: (_context, { params }) => file(params.folder, params.file),
  }),
];
export const handler = systemFunction(referenceEndpoints);
