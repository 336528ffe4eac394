import * as z from 'zod';
import { type Reply, reply } from '../../lib/platform/http/endpoint.ts';
import { cursorParameter, encodeCursor } from '../../lib/platform/list-cursor.ts';
import { type ListPage, LONGEST_PAGE } from '../../lib/platform/list-page.ts';

const pageQuery = (isPlace: (place: string) => boolean) =>
  z.object({
    limit: z.coerce.number().int().min(1).max(LONGEST_PAGE).default(LONGEST_PAGE),
    cursor: cursorParameter(isPlace),
  });
/** The query parameters that choose a part of a list in the order of ids. The cursor of another list is refused: it would hide a part. */
export const PageQuery = pageQuery((place) => z.guid().safeParse(place).success);
/** The same for a list in the order of names. A place is a part of a sort key, which has at most 1,024 bytes with the list's prefix. */
export const NamePageQuery = pageQuery((place) => place !== '' && Buffer.byteLength(place) <= 900);

/** Answers with one page as the bare array that the contract asks for. A header has the cursor of the next page, if there is one. */
export const answerPage = <T>({ items, next }: ListPage<T>): Reply<T[]> =>
  reply({ body: items, ...(next !== undefined && { headers: { 'x-next-cursor': encodeCursor(next) } }) });

/** A description for the OpenAPI document. */
export const PAGED =
  'If the answer has the header `X-Next-Cursor`, the list is longer than one answer: ask again with `?cursor=` and that text for the rest.';
