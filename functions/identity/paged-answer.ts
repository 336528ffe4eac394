import * as z from 'zod';
import { type Reply, reply } from '../../lib/platform/http/endpoint.ts';

const whole = (name: string, from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(from).max(to))
    .optional()
    .describe(name);

/** The query of a list with numbered pages. */
export const PageQuery = z.object({
  page: whole('The page, from 1 on', 1, 1_000_000),
  limit: whole('Entries on a page: 20 unless told, 100 at most', 1, 100),
  sort_by: z.enum(['created_at', 'updated_at', 'name']).optional(),
  sort_dir: z.enum(['asc', 'desc']).optional(),
});
/** The same with a text that the name or the slug must contain, in upper or lower case. */
export const SearchQuery = PageQuery.extend({ search: z.string().max(200).optional() });
type Query = z.infer<typeof PageQuery> & { search?: string | undefined };

interface Listed {
  name?: string;
  slug?: string;
  created_at?: string;
  updated_at?: string;
}

/** One page of a list that was read whole, with its place in the list beside it. */
export function pagedAnswer<T extends Listed>(all: readonly T[], query: Query): Reply<T[]> {
  const { page = 1, limit = 20, sort_by = 'created_at', sort_dir = 'desc' } = query;
  const wanted = query.search?.toLowerCase() ?? '';
  const found = all.filter(({ name = '', slug = '' }) => name.toLowerCase().includes(wanted) || slug.includes(wanted));
  const sign = sort_dir === 'asc' ? 1 : -1;
  const sorted = found.toSorted((a, b) => sign * compare(a[sort_by] ?? '', b[sort_by] ?? ''));
  const total = found.length;
  const total_page = Math.max(1, Math.ceil(total / limit));
  return reply({
    body: sorted.slice((page - 1) * limit, page * limit),
    meta: { pagination: { page, page_size: limit, total, total_page, has_next: page < total_page, has_prev: page > 1 } },
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
