import type { ReasoningDetail } from '../../wire/chat.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import { isObject } from '../../wire/wire-values.ts';

/** So that what another service encrypted is never taken for ours. */
const PREFIX = 'brk1.';
const LONGEST = 4 * 1024 * 1024;

/**
 * Signed reasoning as the `encrypted_content` of a reasoning item. Clients of the Responses API send it back as it is, so it carries what
 * the next turn's provider wants back. It is the caller's own data, packed and not encrypted.
 */
export const packReasoning = (details: readonly ReasoningDetail[]): string | null =>
  details.length === 0 ? null : PREFIX + Buffer.from(JSON.stringify(details)).toString('base64url');

/** The reasoning inside an `encrypted_content`; nothing if it is not the gateway's. */
export function unpackReasoning(packed: unknown): ReasoningDetail[] {
  if (typeof packed !== 'string' || !packed.startsWith(PREFIX) || packed.length > LONGEST) return [];
  const details = parsePlainJson(Buffer.from(packed.slice(PREFIX.length), 'base64url').toString());
  return Array.isArray(details) ? details.filter(isDetail) : [];
}

const isDetail = (value: unknown): value is ReasoningDetail =>
  isObject(value) &&
  typeof value.type === 'string' &&
  [value.text, value.signature, value.data, value.tool_call_id].every((member) => member === undefined || typeof member === 'string');
