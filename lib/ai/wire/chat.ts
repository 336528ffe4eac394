/**
 * OpenAI's chat wire, which is the gateway's own form: every provider's answer is turned into it, every other front (completions,
 * responses, messages) is translated from it. Types name what the gateway reads; all other members are kept as they are.
 * Source: OpenAI's published OpenAPI document of 2026-08-21.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export interface ChatRequest extends Record<string, unknown> {
  model: string;
  messages: ChatMessage[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean; [option: string]: unknown } | null;
  n?: number | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  tools?: ChatTool[];
  user?: string | null;
}

export interface ChatMessage extends Record<string, unknown> {
  role: string;
  content?: string | ContentPart[] | null;
  name?: string;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
  refusal?: string | null;
  reasoning_content?: string | null;
  reasoning_details?: ReasoningDetail[];
}
export interface ContentPart extends Record<string, unknown> {
  type: string;
}
export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  /** Gemini's signature of the thought behind the call. It has to come back with the call. */
  thought_signature?: string;
  /** The same signature as `google.thought_signature`: Google's own OpenAI-compatible form, which some clients send back by themselves. */
  extra_content?: Record<string, unknown>;
}
export interface ChatTool extends Record<string, unknown> {
  type: string;
  function?: { name: string; description?: string; parameters?: JsonObject; strict?: boolean | null };
}

/** Signed and redacted reasoning, as a provider wants it back. The one carrier of signatures in messages, deltas and history. */
export interface ReasoningDetail {
  type: string;
  text?: string;
  signature?: string;
  data?: string;
  /** The tool call that the signature belongs to, if it belongs to one. */
  tool_call_id?: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

/** Usage in OpenAI's form, as clients read it. `completion_tokens` includes reasoning, `prompt_tokens` includes cached tokens. */
export interface WireUsage extends Record<string, unknown> {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface ChatCompletion extends Record<string, unknown> {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: ChatChoice[];
  usage?: WireUsage;
}
export interface ChatChoice extends Record<string, unknown> {
  index: number;
  message: ChatMessage & { role: 'assistant'; content: string | null; refusal: string | null };
  logprobs: unknown;
  finish_reason: FinishReason;
}

export interface ChatChunk extends Record<string, unknown> {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: ChunkChoice[];
  usage?: WireUsage | null;
}
export interface ChunkChoice extends Record<string, unknown> {
  index: number;
  delta: ChunkDelta;
  logprobs?: unknown;
  finish_reason: FinishReason | null;
}
export interface ChunkDelta extends Record<string, unknown> {
  role?: string;
  content?: string | null;
  refusal?: string | null;
  reasoning_content?: string | null;
  reasoning_details?: ReasoningDetail[];
  tool_calls?: ToolCallDelta[];
}
export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: 'function';
  function?: { name?: string; arguments?: string };
  thought_signature?: string;
  extra_content?: Record<string, unknown>;
}
