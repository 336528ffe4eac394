import type { Adapter, Target, UpstreamRequest } from '../adapter.ts';
import { openaiCompletion } from './openai-completion.ts';
import { openaiCompletionsBody } from './openai-completions.ts';
import { openaiEmbeddings, openaiEmbeddingsBody } from './openai-embeddings.ts';
import { openaiFailure, openaiFailureIn } from './openai-failures.ts';
import { type Preset, presetFor } from './openai-presets.ts';
import { openaiChatBody } from './openai-request.ts';
import { openaiStream } from './openai-stream.ts';
import { openaiUrl } from './openai-url.ts';

/** Servers that speak OpenAI's wire: OpenAI, Azure, and those that resemble them. What comes from the caller passes as it is. */
export const openaiAdapter: Adapter = {
  chat(call, target) {
    const preset = presetFor(target.base_url, target.type);
    const legacy = openaiCompletionsBody(call, target, preset);
    const { body, injected } = legacy ?? openaiChatBody(call, target, preset);
    const post = openaiPost(target, preset, legacy ? 'completions' : 'chat/completions', body);
    const beta = call.forwarded['openai-beta'];
    // Only OpenAI's own servers know what the caller means by it.
    if (beta !== undefined && target.type !== 'openai-compatible') post.headers['openai-beta'] = beta;
    return { ...post, injected };
  },
  completion: openaiCompletion,
  stream: openaiStream,
  embeddings(call, target) {
    const preset = presetFor(target.base_url, target.type);
    return openaiPost(target, preset, 'embeddings', openaiEmbeddingsBody(call, target, preset));
  },
  decodeEmbeddings: openaiEmbeddings,
  failure: openaiFailure,
  failureIn: openaiFailureIn,
};

export function openaiPost(target: Target, preset: Preset, operation: string, body: string): UpstreamRequest {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (target.api_key !== '') {
    if (preset.key_header) headers[preset.key_header] = target.api_key;
    else headers.authorization = `Bearer ${target.api_key}`;
  }
  return { method: 'POST', url: openaiUrl(target, operation), headers, body, warnings: [] };
}
