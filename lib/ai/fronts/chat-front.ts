import { type Reply, reply } from '../../platform/http/endpoint.ts';
import { SSE_DONE, SSE_HEADERS, SSE_KEEP_ALIVE, sseData } from '../../platform/sse/sse-writer.ts';
import { answerChat } from '../completion/answer-chat.ts';
import type { IncomingChat } from '../completion/call/running-call.ts';
import type { GatewayPorts } from '../completion/gateway-ports.ts';
import { answerText } from '../completion/rules/own-text.ts';
import type { StreamFrame } from '../completion/stream-frame.ts';
import { inferenceError, openaiErrorFrame } from '../wire/inference-errors.ts';
import { writeFrames } from './write-frames.ts';

/** `POST /v1/chat/completions`: the pipeline's own form, written as it is. */
export async function chatFront(ports: GatewayPorts, call: IncomingChat): Promise<Reply<never>> {
  const answer = await answerChat(ports, call);
  if (answer.kind === 'completion') {
    const headers = { ...answer.headers, 'content-type': 'application/json' };
    return reply<never>({ headers, text: answerText(answer.completion) });
  }
  const written = writeFrames(answer.frames, textOf, call.log);
  return reply<never>({ headers: { ...answer.headers, ...SSE_HEADERS }, stream: written, onEnd: answer.onEnd });
}

function textOf(frame: StreamFrame): string {
  switch (frame.kind) {
    case 'chunk':
      return sseData(frame.text ?? JSON.stringify(frame.chunk));
    case 'keep-alive':
      return SSE_KEEP_ALIVE;
    case 'failure':
      return openaiErrorFrame(inferenceError(frame.error));
    case 'done':
      return SSE_DONE;
  }
}
