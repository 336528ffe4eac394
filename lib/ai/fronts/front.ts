import { type Reply, reply } from '../../platform/http/endpoint.ts';
import { SSE_HEADERS } from '../../platform/sse/sse-writer.ts';
import { answerChat } from '../completion/answer-chat.ts';
import type { IncomingChat } from '../completion/call/running-call.ts';
import type { ChatAnswer } from '../completion/chat-answer.ts';
import type { GatewayPorts } from '../completion/gateway-ports.ts';
import { type FrameWriter, writeFrames } from './write-frames.ts';

/** A request of another API, translated into the gateway's own form, and the way back for its answer. */
export interface TranslatedCall extends Pick<IncomingChat, 'request' | 'native' | 'warnings' | 'usageAtEnd'> {
  /** The answer as this API's clients read it. */
  completion(completion: ChatAnswer['completion']): unknown;
  /** Begins a stream. The function that it returns is called with each frame and returns the text to send, which may be empty. */
  stream(): FrameWriter;
}

/**
 * An API other than OpenAI's chat that the gateway offers over the same pipeline. It is pure: it gets the parsed body, without the gateway's
 * own options, and throws an error that names the member if the body can't be served.
 */
export type Front = (body: unknown, facts: FrontFacts) => TranslatedCall;

export interface FrontFacts {
  request_id: string;
  /** The body's own text, for an upstream that speaks the same API. */
  text: string;
  /** The time of the request. */
  nowMs: number;
}

/** Answers a request of this front: its parsed body and the body's text, both without the gateway's own options. */
export async function answerFront(
  front: Front,
  ports: GatewayPorts,
  { value, text }: { value: unknown; text: string },
  call: Omit<IncomingChat, 'request' | 'text'>,
): Promise<Reply<never>> {
  const { completion, stream, ...translated } = front(value, { request_id: call.request_id, text, nowMs: ports.clock.nowMs() });
  const answer = await answerChat(ports, { ...call, ...translated });
  if (answer.kind === 'completion') {
    const headers = { ...answer.headers, 'content-type': 'application/json' };
    return reply<never>({ headers, text: JSON.stringify(completion(answer.completion)) });
  }
  const written = writeFrames(answer.frames, stream(), call.log);
  return reply<never>({ headers: { ...answer.headers, ...SSE_HEADERS }, stream: written, onEnd: answer.onEnd });
}
