import { spliceMembers } from '../../wire/json-splice.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { ChatCall, Target, UpstreamRequest } from '../adapter.ts';
import { anthropicHeaders, messagesUrl } from './anthropic-adapter.ts';

/** Asks Anthropic to count the tokens of a request in its own form. */
export const tokenCountRequest = (text: string, target: Target, forwarded: ChatCall['forwarded']): UpstreamRequest => ({
  method: 'POST',
  url: `${messagesUrl(target.base_url)}/count_tokens`,
  headers: anthropicHeaders(target, forwarded),
  body: spliceMembers(text, { model: JSON.stringify(target.model), brokle: undefined }),
  warnings: [],
});

/** The count in an answer of Anthropic; undefined if there is none that can be true. */
export function tokenCountIn(body: unknown): number | undefined {
  const count = isObject(body) ? body.input_tokens : undefined;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined;
}
