import type * as z from 'zod';
import type { AppError } from '../errors.ts';

export type InputPart = 'path' | 'query' | 'body';

/** A member of the input and the rule that it breaks. */
export interface Issue {
  field: string;
  rule: string;
  /** The validator's name for the kind of rule, such as `too_small`. */
  kind: string;
  /** The offending value; undefined if the member is missing. */
  value: unknown;
}

const MAX_ISSUES = 20;

/** Parses untrusted input, or throws the error that `invalid` makes of the broken rules (twenty at most). */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  part: InputPart,
  invalid: (part: InputPart, issues: readonly Issue[]) => AppError,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_ISSUES);
  throw invalid(
    part,
    issues.flatMap((issue) => {
      // An unknown member is named by itself, not by the object that it stands in.
      const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((name) => [...issue.path, name]) : [issue.path];
      return paths.map((path) => ({
        field: [part, ...path].join('.'),
        rule: ruleOf(issue, valueAt(value, path)),
        kind: issue.code,
        value: valueAt(value, path),
      }));
    }),
  );
}

function ruleOf({ code, message }: z.core.$ZodIssue, value: unknown): string {
  if (code === 'unrecognized_keys') return 'is not a member that this operation knows';
  // The validator calls an absent option an invalid one.
  return code === 'invalid_value' && value === undefined ? message.replace(/^Invalid \w+:/, 'is missing:') : message;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Reflect.get(found, name);
  }
  return found;
}
