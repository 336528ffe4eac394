import type { ChatCall } from '../../providers/adapter.ts';
import { DEFAULT_OUTPUT_TOKENS } from './begin-call.ts';
import type { IncomingChat, RunningCall } from './running-call.ts';

/** What adapters get of a call. Where something was reserved, a caller's missing limit becomes the one that was reserved for. */
export function chatCallOf({ call, reservation }: RunningCall<IncomingChat>): ChatCall {
  const { request, text, forwarded, native } = call;
  return {
    request,
    forwarded,
    ...(text !== undefined && { text }),
    ...(native && { native }),
    ...(reservation && { default_output_tokens: DEFAULT_OUTPUT_TOKENS }),
  };
}
