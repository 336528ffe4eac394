import { type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import { cursorAt } from '../../lib/platform/list-cursor.ts';
import type { ListPage } from '../../lib/platform/list-page.ts';

/** A list's part as the bare array that the contract asks for; the header says where it goes on, if this is not its end. */
export const answerPage = <T>({ items, next }: ListPage<T>): Reply<T[]> =>
  reply({ body: items, ...(next !== undefined && { headers: { 'x-next-cursor': cursorAt(next) } }) });

/** For the OpenAPI document. */
export const PAGED =
  'If the answer has the header `X-Next-Cursor`, the list is longer than one answer: ask again with `?cursor=` that text for what follows.';
