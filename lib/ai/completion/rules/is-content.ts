import type { ChunkDelta } from '../../wire/chat.ts';

/** Whether this gives the caller something of the answer. Roles, empty texts and pieces of nothing are not content. */
export function isContent(delta: ChunkDelta): boolean {
  if (isText(delta.content) || isText(delta.reasoning_content) || isText(delta.reasoning) || isText(delta.refusal)) return true;
  for (const list of [delta.tool_calls, delta.reasoning_details, delta.images]) if (Array.isArray(list) && list.length > 0) return true;
  return (delta.audio ?? delta.function_call ?? null) !== null;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Whether this has no member with a meaning but the role. Annotations, for example, are no content, and are kept. */
export function saysNothing(delta: ChunkDelta): boolean {
  for (const name in delta) {
    const value = delta[name];
    if (name === 'role' || value === null || value === undefined || value === '') continue;
    if (!Array.isArray(value) || value.length > 0) return false;
  }
  return true;
}
