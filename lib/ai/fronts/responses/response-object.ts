import { newUlid } from '../../../platform/ids.ts';
import type { FinishReason } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { ResponsesRequest } from './responses-request.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** One item of a response's output. */
export interface OutputItem extends Record<string, unknown> {
  id: string;
  type: string;
}

/** What is known about a response before its answer. */
export interface ResponseHead {
  id: string;
  created_at: number;
  asked: ResponsesRequest;
}

export const responseHead = (asked: ResponsesRequest, nowMs: number): ResponseHead => ({
  id: itemId('resp', nowMs),
  created_at: Math.floor(nowMs / 1_000),
  asked,
});

export const itemId = (prefix: 'resp' | 'msg' | 'rs' | 'fc' | 'ig', nowMs: number): string => `${prefix}_${newUlid(nowMs).toLowerCase()}`;

export interface ResponseState {
  status: 'in_progress' | 'completed' | 'incomplete';
  model: string;
  output: readonly OutputItem[];
  finish?: FinishReason;
  usage?: unknown;
  brokle?: unknown;
}

/** The response object. It repeats the request's members with OpenAI's defaults, as clients expect. */
export function responseObject({ id, created_at, asked }: ResponseHead, state: ResponseState): Record<string, unknown> {
  const { status, model, output, finish, usage, brokle } = state;
  const reasoning = isObject(asked.reasoning) ? asked.reasoning : {};
  return {
    id,
    object: 'response',
    created_at,
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: finish === 'content_filter' ? 'content_filter' : 'max_output_tokens' } : null,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: asked.metadata ?? {},
    model,
    output,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: asked.prompt_cache_key ?? null,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    safety_identifier: asked.safety_identifier ?? null,
    service_tier: asked.service_tier ?? 'auto',
    store: false,
    temperature: asked.temperature ?? 1,
    text: isObject(asked.text) ? { format: { type: 'text' }, ...asked.text } : { format: { type: 'text' } },
    tool_choice: asked.tool_choice ?? 'auto',
    tools: asked.tools ?? [],
    top_logprobs: asked.top_logprobs ?? 0,
    top_p: asked.top_p ?? 1,
    truncation: 'disabled',
    usage: usage ? responseUsage(usage) : null,
    user: asked.user ?? null,
    ...(brokle !== undefined && { brokle }),
  };
}

export const isIncomplete = (finish: FinishReason | undefined): boolean => finish === 'length' || finish === 'content_filter';

/** A chat's usage in the words of responses. */
function responseUsage(usage: unknown): Record<string, unknown> {
  const { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details, completion_tokens_details } = isObject(usage) ? usage : {};
  const input = isObject(prompt_tokens_details) ? prompt_tokens_details : {};
  const output = isObject(completion_tokens_details) ? completion_tokens_details : {};
  return {
    input_tokens: prompt_tokens ?? 0,
    input_tokens_details: { cached_tokens: input.cached_tokens ?? 0, cache_write_tokens: input.cache_write_tokens ?? 0 },
    output_tokens: completion_tokens ?? 0,
    output_tokens_details: { reasoning_tokens: output.reasoning_tokens ?? 0 },
    total_tokens: total_tokens ?? 0,
  };
}
