import { SSE_DONE, sseData } from '../../../platform/sse/sse-writer.ts';
import type { SimulatedContent } from './simulated-answer.ts';
import type { SimulatedWishes } from './simulated-wishes.ts';

export interface SimulatedHead {
  id: string;
  created: number;
  model: string;
}

/** The frames of a simulated stream, as OpenAI would send them. `undefined` stands for waiting without end. */
export function* simulatedFrames(
  head: SimulatedHead,
  content: SimulatedContent,
  { wishes, choices, usage }: { wishes: SimulatedWishes; choices: number; usage: Record<string, unknown> | undefined },
): Generator<string | undefined> {
  const chunk = (index: number, delta: Record<string, unknown>, finish_reason: string | null = null) =>
    sseData(
      JSON.stringify({
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index, delta, logprobs: null, finish_reason }],
        ...(usage && { usage: null }),
      }),
    );
  let sent = 0;
  for (let index = 0; index < choices; index++) {
    yield chunk(index, { role: 'assistant', content: content.calls.length > 0 ? null : '' });
    if (content.reasoning !== undefined) yield chunk(index, { reasoning_content: content.reasoning });
    for (const piece of [...content.pieces, undefined]) {
      if (sent === wishes.error) return yield sseData(JSON.stringify({ error: { message: 'A simulated error.', code: 502 } }));
      if (sent === wishes.cut) return;
      if (sent === wishes.stall) return yield undefined;
      if (piece === undefined) break;
      yield chunk(index, { content: piece });
      sent++;
    }
    for (const [place, call] of content.calls.entries()) {
      const id = callId(head, index, place);
      yield chunk(index, { tool_calls: [{ index: place, id, type: 'function', function: { name: call.name, arguments: '' } }] });
      yield chunk(index, { tool_calls: [{ index: place, function: { arguments: call.arguments } }] });
    }
    yield chunk(index, {}, content.finish);
  }
  if (usage) yield sseData(JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage }));
  yield SSE_DONE;
}

export const callId = ({ id }: SimulatedHead, choice: number, place: number) =>
  `call_${id.slice(-20)}${choice.toString(36).padStart(2, '0')}${place.toString(36).padStart(2, '0')}`;
