import { calledTool } from '../../wire/called-tool.ts';
import type { ChatCompletion, ChatMessage } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';
import { callItem, imageItem, type MessagePart, messageItem, reasoningItem, refusalPart, textPart } from './response-items.ts';
import { type ItemStatus, isIncomplete, itemId, type OutputItem, type ResponseHead, responseObject } from './response-object.ts';

/** A whole chat completion as a response. */
export function responseOf(completion: ChatCompletion, head: ResponseHead): Record<string, unknown> {
  const [choice] = completion.choices;
  const incomplete = isIncomplete(choice?.finish_reason);
  const status = incomplete ? 'incomplete' : 'completed';
  return responseObject(head, {
    status,
    model: completion.model,
    output: choice ? outputOf(choice.message, choice.logprobs, status, head.created_at * 1_000) : [],
    ...(choice && { finish: choice.finish_reason }),
    usage: completion.usage,
    brokle: completion.brokle,
  });
}

function outputOf(message: ChatMessage, logprobs: unknown, status: ItemStatus, nowMs: number): OutputItem[] {
  const { content, refusal, reasoning_content: reasoning, reasoning_details: details = [], tool_calls: calls = [], images } = message;
  const output: OutputItem[] = [];
  if ((typeof reasoning === 'string' && reasoning !== '') || details.length > 0) {
    output.push(reasoningItem(itemId('rs', nowMs), reasoning ?? '', details, 'completed'));
  }
  const parts: MessagePart[] = [];
  // An empty answer has one empty text, if nothing else tells what the model did.
  const isText = typeof content === 'string' && (content !== '' || (calls.length === 0 && status === 'completed' && !refusal));
  if (isText) parts.push(textPart(content, logprobsOf(logprobs), annotationsOf(message.annotations)));
  if (typeof refusal === 'string' && refusal !== '') parts.push(refusalPart(refusal));
  if (parts.length > 0) output.push(messageItem(itemId('msg', nowMs), parts, status));
  for (const image of imagesOf(images)) output.push(imageItem(itemId('ig', nowMs), image, 'completed'));
  for (const call of calls) {
    const { name, arguments: text } = calledTool(call);
    output.push(callItem(itemId('fc', nowMs), { id: call.id, name, arguments: text || '{}' }, 'completed'));
  }
  return output;
}

export const logprobsOf = (logprobs: unknown): unknown[] => (isObject(logprobs) && Array.isArray(logprobs.content) ? logprobs.content : []);

/** The links of images. */
export const imagesOf = (images: unknown): string[] =>
  (Array.isArray(images) ? images : []).flatMap((image: unknown) => {
    const url = isObject(image) && isObject(image.image_url) ? image.image_url.url : undefined;
    return typeof url === 'string' && url.startsWith('data:') ? [url] : [];
  });

/** A chat's citations stand one level deeper. */
export const annotationsOf = (annotations: unknown): unknown[] =>
  (Array.isArray(annotations) ? annotations : []).map((annotation: unknown) =>
    isObject(annotation) && isObject(annotation.url_citation) ? { type: 'url_citation', ...annotation.url_citation } : annotation,
  );
