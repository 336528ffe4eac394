import * as z from 'zod';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { endpoint, fleetFunction } from '../fleet/fleet-endpoint.ts';
import { NOT_BUILT, referenceFile } from './reference-files.ts';

const tag = 'documentation';
const HTML = 'text/html; charset=utf-8';
/** Below a word of its own, so that no path of the API is ever taken for a page. */
const HOME = '/api/reference/index.html';

async function file(...segments: string[]) {
  const found = await referenceFile(segments);
  return reply<never>(found ?? { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, text: 'not found' });
}

export const referenceEndpoints = [
  endpoint({
    id: 'get_reference',
    method: 'GET',
    path: '/api',
    summary: "The code's reference",
    tag,
    access: 'public',
    status: 200,
    responseType: HTML,
    handle: async () =>
      (await referenceFile(['index.html']))
        ? reply<never>({ status: 302, headers: { location: HOME }, text: '' })
        : reply<never>({
            status: 404,
            headers: { 'content-type': HTML, 'content-security-policy': "default-src 'none'" },
            text: NOT_BUILT,
          }),
  }),
  endpoint({
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
  endpoint({
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
export const handler = fleetFunction(referenceEndpoints);
