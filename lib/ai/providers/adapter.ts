import type { SseEvent } from '../../platform/sse/sse-parser.ts';
import type { ReportedUsage } from '../pricing/usage.ts';
import type { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.ts';

export const PROVIDER_TYPES = ['openai', 'openai-compatible', 'azure', 'anthropic', 'google', 'simulated'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** One model at one provider, with everything that an adapter needs to ask it. */
export interface Target {
  provider_id: string;
  type: ProviderType;
  base_url: string;
  /** Empty for a provider without keys. */
  api_key: string;
  /** The id that is sent upstream. */
  model: string;
  /** What the model is known to do: tools, vision, json_schema, reasoning, prefill, streaming. Undefined if nothing is known. */
  features?: readonly string[] | undefined;
  /** The most tokens that the model can answer with, if it is known. */
  max_output_tokens?: number | undefined;
  /** The provider refused `stream_options`: don't ask for usage in streams. */
  without_stream_usage?: boolean;
}

/** A request to send, ready but for the connection. */
export interface UpstreamRequest {
  method: 'POST' | 'GET';
  url: string;
  headers: Record<string, string>;
  body: string;
  /** What the translation could not keep, for `x-brokle-warnings`. */
  warnings: readonly string[];
  /** Members that the adapter added unasked. If the provider refuses one of them, the caller is not to blame. */
  injected?: readonly string[];
}

/** The body of the caller's request: as parsed, and as it came. A pass-through sends the bytes if nothing has to change. */
export interface ChatCall {
  request: ChatRequest;
  /** The caller's own text of the request; absent if the gateway made the request (another front, a continuation). */
  text?: string;
  /** Headers that the caller meant for the provider, such as `anthropic-beta`. Lower-case names. */
  forwarded: Readonly<Record<string, string>>;
  /** The caller's own text of a request in Anthropic's form, or of a legacy completion, for an upstream that speaks it. */
  native?: { dialect: 'anthropic' | 'completions'; text: string };
  /** The limit that was reserved for if the request has none. The provider is told it, so that the reservation holds. */
  default_output_tokens?: number;
}

/** The limit to send if the caller has none: the one that was reserved for, or the model's own if that is lower. */
export const reservedOutputTokens = (call: ChatCall, { max_output_tokens: most }: Target): number | undefined =>
  call.default_output_tokens === undefined ? undefined : Math.min(call.default_output_tokens, most ?? Number.POSITIVE_INFINITY);

/** A failure that a provider answered with. */
export interface UpstreamFailure {
  /** The HTTP status, or the one that an error inside a 200 stands for. */
  status: number;
  /** `caller`: the request is wrong, and no other attempt helps. `provider`: the provider failed. The others are as they say. */
  blame: 'caller' | 'provider' | 'rate_limited' | 'credentials' | 'exhausted_account' | 'missing_endpoint';
  /** Safe for the caller: without keys and fragments of them. */
  message: string;
  code: string | null;
  param: string | null;
  retry_after_ms?: number;
}

/** One step of a provider's stream in OpenAI's form. */
export type StreamPart =
  /** `text` is the exact JSON that the provider sent, if the chunk is unchanged. */
  | { kind: 'chunk'; chunk: ChatChunk; text?: string }
  | { kind: 'usage'; usage: ReportedUsage }
  | { kind: 'failure'; failure: UpstreamFailure }
  /** The provider said that the stream is complete. */
  | { kind: 'done' };

export type { SseEvent };

/** Turns the events of one stream into parts. It keeps the state of that stream. */
export interface StreamDecoder {
  decode(event: SseEvent): StreamPart[];
  /** The stream has ended. Returns what was still held. */
  end(): StreamPart[];
}

export interface DecodedCompletion {
  completion: ChatCompletion;
  usage: ReportedUsage | undefined;
}

export interface EmbeddingCall {
  request: Record<string, unknown> & { model: string; input: string | string[] | number[] | number[][] };
  text?: string;
}
export interface DecodedEmbeddings {
  /** Always as floats, in the order of the input. */
  vectors: number[][];
  model: string;
  usage: ReportedUsage | undefined;
}

/** Which names of tools a provider takes. It refuses the whole request for one other name. */
export interface ToolNameRule {
  pattern: RegExp;
  longest: number;
}

/**
 * A provider's wire, as pure converters. An adapter does no I/O, reads no clock and keeps no state between calls. `request` throws an
 * AppError that names the parameter if the provider can't be asked this.
 */
export interface Adapter {
  /** Any name if absent. */
  toolNames?: ToolNameRule;
  /** Whether this model gives one answer for each request, whatever `n` says. */
  givesOneAnswer?(model: string): boolean;
  chat(call: ChatCall, target: Target): UpstreamRequest;
  /**
   * Throws UnusableAnswer if the JSON is no answer. `failureIn` is asked before. `text` is the body as it came, for numbers that parsing would
   * change.
   */
  completion(body: unknown, target: Target, text?: string): DecodedCompletion;
  stream(target: Target): StreamDecoder;
  embeddings?(call: EmbeddingCall, target: Target): UpstreamRequest;
  decodeEmbeddings?(body: unknown, target: Target): DecodedEmbeddings;
  /** The failure that an error status, or an error inside a 200, stands for. `body` is parsed JSON, or the text if it is none. */
  failure(status: number, headers: Readonly<Record<string, string>>, body: unknown): UpstreamFailure;
  /** The failure inside an answer with status 200, if it is one. */
  failureIn(body: unknown): UpstreamFailure | undefined;
}

/** The provider's answer is no answer of its kind: HTML, half a JSON, a choice without content. Counts as a failed attempt. */
export class UnusableAnswer extends Error {
  override name = 'UnusableAnswer';
}
