import type * as z from 'zod';
import { Description, Name } from '../platform/names.ts';
import { type FleetErrorCode, fleetError } from './fleet-errors.ts';

/** The error code for an invalid name or description of such a thing. */
type InvalidCode = Extract<FleetErrorCode, 'invalid_agent' | 'invalid_generator' | 'invalid_stack' | 'invalid_template'>;

function check(code: InvalidCode, field: string, schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const rule = result.error.issues[0]?.message ?? 'is invalid';
  throw fleetError(code, { message: `${field} ${rule}`, details: { field, rule } });
}

export const checkName = (code: InvalidCode, field: 'name' | 'cluster_name', value: string): void => check(code, field, Name, value);

/** Checks a name and its description. */
export function checkText(code: InvalidCode, name: string, description: string | null): void {
  checkName(code, 'name', name);
  check(code, 'description', Description.nullable(), description);
}
