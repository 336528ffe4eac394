import * as z from 'zod';

/**
 * A cursor says where a list continues. Its caller sees an opaque text. The text contains the place of the last item that the caller
 * got, so that the cursor stays valid if that item is removed, and the server stores nothing for it.
 */
export const encodeCursor = (place: string): string => Buffer.from(place).toString('base64url');

/** Parses a `cursor` parameter into its place. A place that `isPlace` rejects is refused. */
export const cursorParameter = (isPlace: (place: string) => boolean) =>
  z
    .string()
    .max(2_048)
    .regex(/^[\w-]+$/, 'is not a cursor of this list')
    .transform((cursor) => Buffer.from(cursor, 'base64url').toString())
    .refine(isPlace, 'is not a cursor of this list')
    .optional();
