import * as z from 'zod';
import { isUlid } from '../../platform/ids.ts';

export const Ulid = z.string().refine(isUlid, 'must be a ULID: 26 letters and digits').meta({ pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' });

/** Trimmed and in lower case, so that an address in another spelling is the same user. */
export const Email = z.string().trim().toLowerCase().max(254).pipe(z.email('must be an e-mail address'));

/** Control characters, ends of lines, and characters that turn the direction of the text after them. */
const NOT_IN_A_NAME = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
/** A name that people read: trimmed, in one line, and as it looks. */
export const nameOf = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !NOT_IN_A_NAME.test(text), 'must have no control characters')
    .refine((text) => text === '' || VISIBLE.test(text), 'must have a character that can be seen');

export const Description = z.string().trim().max(500);
export const Slug = z
  .string()
  .min(2)
  .max(50)
  .regex(/^[a-z0-9-]+$/, 'must consist of a-z, 0-9 and -');

/** A slug for a name: its letters and digits in lower case, `-` between them. `fallback` if nothing is left. */
export function slugOf(name: string, fallback: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  return slug.length < 2 ? fallback : slug;
}
