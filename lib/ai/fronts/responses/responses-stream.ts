import { SSE_KEEP_ALIVE, sseEvent } from '../../../platform/sse/sse-writer.ts';
import type { StreamFrame } from '../../completion/stream-frame.ts';
import { calledTool } from '../../wire/called-tool.ts';
import type { ChatChunk, ChunkChoice, FinishReason, ToolCallDelta } from '../../wire/chat.ts';
import { inferenceError } from '../../wire/inference-errors.ts';
import { createOutputWriter } from './output-writer.ts';
import { isIncomplete, type ResponseHead, type ResponseState, responseObject } from './response-object.ts';
import { annotationsOf, imagesOf, logprobsOf } from './response-output.ts';

/** Writes one stream as the events of a response. */
export function responsesStream(head: ResponseHead): (frame: StreamFrame) => string {
  let sequence = 0;
  let text = '';
  const emit = (type: string, members: Record<string, unknown>) => {
    text += sseEvent(type, JSON.stringify({ type, sequence_number: sequence++, ...members }));
  };
  const writer = createOutputWriter(emit, head.created_at * 1_000);
  let model = head.asked.model;
  let begun = false;
  let finish: FinishReason | undefined;
  let usage: unknown;
  let brokle: unknown;
  const response = (state: Pick<ResponseState, 'status'>) =>
    responseObject(head, { ...state, model, output: writer.items(), ...(finish && { finish }), usage, brokle });

  function begin(): void {
    if (begun) return;
    begun = true;
    emit('response.created', { response: response({ status: 'in_progress' }) });
    emit('response.in_progress', { response: response({ status: 'in_progress' }) });
  }

  function chunk({ choices, ...chunk }: ChatChunk): void {
    if (chunk.model !== '') model = chunk.model;
    begin();
    if (chunk.usage) usage = chunk.usage;
    if (chunk.brokle !== undefined) brokle = chunk.brokle;
    // A response is one answer.
    const choice = choices.find(({ index }) => index === 0);
    if (choice) delta(choice);
  }

  function delta({ delta, logprobs, finish_reason }: ChunkChoice): void {
    if (delta.reasoning_content) writer.reasoning(delta.reasoning_content);
    // A signature that comes with text belongs to the text. It must not cut the message in two.
    const details = delta.reasoning_details ?? [];
    const detailsFirst = Boolean(delta.reasoning_content) || !delta.content;
    if (details.length > 0 && detailsFirst) writer.reasoningDetails(details);
    if (delta.content) writer.text(delta.content, logprobsOf(logprobs));
    for (const annotation of annotationsOf(delta.annotations)) writer.annotation(annotation);
    if (details.length > 0 && !detailsFirst) writer.reasoningDetails(details);
    if (delta.refusal) writer.refusal(delta.refusal);
    for (const image of imagesOf(delta.images)) writer.image(image);
    for (const call of delta.tool_calls ?? []) toolCall(call);
    if (finish_reason !== null) finish = finish_reason;
  }

  function toolCall(call: ToolCallDelta): void {
    const { name, arguments: text } = calledTool(call);
    writer.call(call.index, { id: call.id ?? '', name }, text);
  }

  function done(): void {
    begin();
    const status = isIncomplete(finish) ? 'incomplete' : 'completed';
    writer.close(status);
    emit(`response.${status}`, { response: response({ status }) });
  }

  return (frame) => {
    text = '';
    switch (frame.kind) {
      case 'chunk':
        chunk(frame.chunk);
        break;
      case 'keep-alive':
        return SSE_KEEP_ALIVE;
      case 'failure': {
        const { code, message, param, type } = inferenceError(frame.error);
        emit('error', { code: code ?? type, message, param });
        break;
      }
      case 'done':
        done();
    }
    return text;
  };
}
