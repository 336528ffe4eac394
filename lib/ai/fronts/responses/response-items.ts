import type { ReasoningDetail } from '../../wire/chat.ts';
import { toolCallIdFor } from '../../wire/tool-call-ids.ts';
import { packReasoning } from './reasoning-carrier.ts';
import type { ItemStatus, OutputItem } from './response-object.ts';

/** OpenAI takes no longer ids of calls in an input. */
const CALL_ID = /^[\s\S]{1,64}$/;

export const callIdOf = (id: string): string => toolCallIdFor(id, CALL_ID);

export const reasoningItem = (id: string, text: string, details: readonly ReasoningDetail[], status: ItemStatus): OutputItem => ({
  id,
  type: 'reasoning',
  summary: text === '' ? [] : [{ type: 'summary_text', text }],
  encrypted_content: packReasoning(
    details.map((detail) => (detail.tool_call_id === undefined ? detail : { ...detail, tool_call_id: callIdOf(detail.tool_call_id) })),
  ),
  status,
});

export const textPart = (text: string, logprobs: unknown[] = [], annotations: unknown[] = []) => ({
  type: 'output_text',
  text,
  annotations,
  logprobs,
});
export const refusalPart = (refusal: string) => ({ type: 'refusal', refusal });
export type MessagePart = ReturnType<typeof textPart> | ReturnType<typeof refusalPart>;

export const messageItem = (id: string, content: readonly MessagePart[], status: ItemStatus): OutputItem => ({
  id,
  type: 'message',
  status,
  role: 'assistant',
  content,
});

export const callItem = (id: string, call: { id: string; name: string; arguments: string }, status: ItemStatus): OutputItem => ({
  id,
  type: 'function_call',
  status,
  call_id: callIdOf(call.id),
  name: call.name,
  arguments: call.arguments,
});

/** An image in an answer, which comes as a link to its data. */
export const imageItem = (id: string, url: string, status: ItemStatus): OutputItem => ({
  id,
  type: 'image_generation_call',
  status,
  result: url.slice(url.indexOf(',') + 1),
});
