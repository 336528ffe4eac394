import type { FinishReason, ReasoningDetail } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';

/** Anthropic's reason for the end of an answer. */
export function stopReason(finish: FinishReason): string {
  switch (finish) {
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
    case 'function_call':
      return 'tool_use';
    case 'content_filter':
      return 'refusal';
    case 'stop':
      return 'end_turn';
  }
}

/** OpenAI's usage in Anthropic's form, where the parts of the prompt stand side by side. */
export function messageUsage(usage: Readonly<Record<string, unknown>>): Record<string, number> {
  const inside = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const cached = count(inside.cached_tokens);
  const written = count(inside.cache_write_tokens);
  return {
    input_tokens: Math.max(0, count(usage.prompt_tokens) - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: count(usage.completion_tokens),
  };
}

/** Usage of Anthropic's form with a prompt that is not empty: clients that see 0 compute no cost. */
export function withPrompt(usage: Readonly<Record<string, unknown>>, promptTokens: number): Record<string, unknown> {
  const { input_tokens, cache_creation_input_tokens: written, cache_read_input_tokens: cached } = usage;
  const isEmpty = count(input_tokens) + count(written) + count(cached) === 0;
  return isEmpty ? { ...usage, input_tokens: promptTokens } : { ...usage };
}

const count = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0);

/** A signed or redacted block of Anthropic. The reasoning of other providers has no block here. */
export function thinkingBlock({ type, text, signature, data }: ReasoningDetail): Record<string, string> | undefined {
  if (type === 'thinking' && signature !== undefined) return { type, thinking: text ?? '', signature };
  return type === 'redacted_thinking' && data !== undefined ? { type, data } : undefined;
}

/** Anthropic's ids of messages begin with `msg_`. */
export const messageId = (id: string) => (id.startsWith('msg_') ? id : `msg_${id.replace(/^chatcmpl-/, '')}`);
