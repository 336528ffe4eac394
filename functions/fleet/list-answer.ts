import * as z from 'zod';
import { type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import { cursorParameter, encodeCursor } from '../../lib/platform/list-cursor.ts';
import { type ListPage, LONGEST_PAGE } from '../../lib/platform/list-page.ts';

/** A sort key may have 1,024 bytes, the list's prefix included. */
const isPlace = (place: string) => place !== '' && Buffer.byteLength(place) <= 900;

/** What a caller says of the part of a list that it wants. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LONGEST_PAGE).default(LONGEST_PAGE),
  cursor: cursorParameter(isPlace),
});

/** A list's part as the bare array that the contract asks for; the header says where it goes on, if this is not its end. */
export const answerPage = <T>({ items, next }: ListPage<T>): Reply<T[]> =>
  reply({ body: items, ...(next !== undefined && { headers: { 'x-next-cursor': encodeCursor(next) } }) });

/** For the OpenAPI document. */
export const PAGED =
  'If the answer has the header `X-Next-Cursor`, the list is longer than one answer: ask again with `?cursor=` that text for what follows.';
