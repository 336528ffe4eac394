import * as z from 'zod';
import { mapInSlices } from '../slices.ts';

/**
 * The answer's JSON, checked against its schema. Long arrays are checked and written item by item, so that no answer holds the event
 * loop for long.
 */
export async function responseText(schema: z.ZodType, value: unknown): Promise<string> {
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const element = schema.element as z.ZodType;
    return `[${(await mapInSlices(value, (item) => JSON.stringify(element.parse(item)))).join(',')}]`;
  }
  if (schema instanceof z.ZodObject && isRecord(value) && hasLongArray(value)) {
    const members: string[] = [];
    for (const [name, member] of Object.entries<z.ZodType>(schema.shape)) {
      const text = await responseText(member, value[name]);
      if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`);
    }
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(schema.parse(value));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const LONG = 100;
const hasLongArray = (value: Record<string, unknown>) =>
  Object.values(value).some((member) => Array.isArray(member) && member.length > LONG);
