import type * as z from 'zod';
import { AppError, type ErrorKind } from '../errors.ts';

/** Parses untrusted input, or throws naming each field and the rule it breaks (twenty at the most). */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown, where: 'path' | 'query' | 'body', kind: ErrorKind): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20).map((issue) => ({ field: [where, ...issue.path].join('.'), rule: issue.message }));
  const first = issues[0];
  throw new AppError(kind, first ? `${first.field}: ${first.rule}` : `invalid ${where}`, {
    code: 'validation_failed',
    details: { issues },
  });
}
