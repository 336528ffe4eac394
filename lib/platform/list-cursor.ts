import * as z from 'zod';

/**
 * Where a list goes on. To its caller a cursor is an opaque text; inside it is the place of the last thing the caller was given, so
 * that a cursor outlives what it points at and costs nothing to keep.
 */
export const cursorAt = (place: string): string => Buffer.from(place).toString('base64url');

/** A `cursor` parameter, as the place that it names; refused where `isPlace` does not know it. */
export const cursorParameter = (isPlace: (place: string) => boolean) =>
  z
    .string()
    .max(2_048)
    .regex(/^[\w-]+$/, 'is not a cursor of this list')
    .transform((cursor) => Buffer.from(cursor, 'base64url').toString())
    .refine(isPlace, 'is not a cursor of this list')
    .optional();
