import { spliceMembers } from '../../wire/json-splice.ts';
import type { Adapter, ChatCall, Target, UpstreamRequest } from '../adapter.ts';
import { anthropicAnswer } from './anthropic-answer.ts';
import { anthropicFailure, anthropicFailureIn } from './anthropic-failures.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { anthropicStream } from './anthropic-stream.ts';

/** The last version that takes a temperature. It is sent unless the caller of `/v1/messages` names another. */
const VERSION = '2023-06-01';

/** Anthropic's Messages API. Source: its public reference, read in November 2026. */
export const anthropicAdapter: Adapter = {
  givesOneAnswer: () => true,
  toolNames: { pattern: /^[a-zA-Z0-9_-]{1,128}$/, longest: 128 },
  chat(call, target) {
    if (call.native?.dialect === 'anthropic') {
      const text = spliceMembers(call.native.text, { model: JSON.stringify(target.model), brokle: undefined });
      return upstreamRequest(target, call.forwarded, text, []);
    }
    const { body, warnings } = anthropicRequest(call, target);
    const { 'anthropic-version': _, ...forwarded } = call.forwarded;
    return upstreamRequest(target, forwarded, JSON.stringify(body), warnings);
  },
  completion: anthropicAnswer,
  stream: anthropicStream,
  failure: anthropicFailure,
  failureIn: anthropicFailureIn,
};

function upstreamRequest(target: Target, forwarded: ChatCall['forwarded'], body: string, warnings: readonly string[]): UpstreamRequest {
  const beta = forwarded['anthropic-beta'];
  return { method: 'POST', url: messagesUrl(target.base_url), headers: anthropicHeaders(target, forwarded, beta), body, warnings };
}

export function anthropicHeaders(
  target: Target,
  forwarded: ChatCall['forwarded'],
  beta = forwarded['anthropic-beta'],
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'anthropic-version': forwarded['anthropic-version'] ?? VERSION,
    ...(target.api_key !== '' && { 'x-api-key': target.api_key }),
    ...(beta !== undefined && { 'anthropic-beta': beta }),
  };
}

/** Anthropic's SDKs take the address without a version, OpenAI's with it; both are understood. */
export function messagesUrl(base_url: string): string {
  const base = base_url.replace(/\/+$/, '');
  return /\/v\d+\w*$/.test(base) ? `${base}/messages` : `${base}/v1/messages`;
}
