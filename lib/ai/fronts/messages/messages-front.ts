import { type Reply, reply } from '../../../platform/http/endpoint.ts';
import { SSE_HEADERS } from '../../../platform/sse/sse-writer.ts';
import { answerChat } from '../../completion/answer-chat.ts';
import type { GatewayPorts } from '../../completion/gateway-ports.ts';
import type { IncomingCall } from '../../completion/running-call.ts';
import type { StreamFrame } from '../../completion/stream-frame.ts';
import { estimatePromptTokens } from '../../pricing/token-estimate.ts';
import { chatToMessage } from './chat-to-message.ts';
import type { MessagesRequest } from './messages-request.ts';
import { messagesStream } from './messages-stream.ts';
import { messagesToChat } from './messages-to-chat.ts';

/** A call of `/v1/messages`: checked, and as the caller wrote it, without the gateway's own options. */
export interface IncomingMessages extends IncomingCall {
  messages: MessagesRequest;
  text: string;
}

/**
 * `POST /v1/messages`: Anthropic's form, translated to the pipeline's own and back. An Anthropic upstream gets the caller's text unchanged
 * but for the model, and its answer goes out as it came; it is metered all the same.
 */
export async function messagesFront(ports: GatewayPorts, { messages, text, ...call }: IncomingMessages): Promise<Reply<never>> {
  const answer = await answerChat(ports, { ...call, request: messagesToChat(messages), native: { dialect: 'anthropic', text } });
  const promptTokens = Math.max(1, estimatePromptTokens(messages));
  if (answer.kind === 'completion') {
    const headers = { ...answer.headers, 'content-type': 'application/json' };
    return reply<never>({ headers, text: JSON.stringify(chatToMessage(answer.completion, promptTokens)) });
  }
  return reply<never>({
    headers: { ...answer.headers, ...SSE_HEADERS },
    stream: written(answer.frames, promptTokens),
    onEnd: answer.onEnd,
  });
}

/** One piece of bytes for everything that was read at once. */
async function* written(frames: AsyncIterable<readonly StreamFrame[]>, promptTokens: number): AsyncGenerator<Uint8Array, void, undefined> {
  const write = messagesStream(promptTokens);
  for await (const batch of frames) {
    let text = '';
    for (const frame of batch) text += write(frame);
    if (text !== '') yield Buffer.from(text);
  }
}
