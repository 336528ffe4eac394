import type { ChatMessage, ToolCall } from '../../../wire/chat.ts';
import { parseJson, parseObject } from '../../../wire/exact-json.ts';
import { requestError } from '../../../wire/request-error.ts';
import { nativeId } from '../gemini-call-ids.ts';
import type { GeminiFamily } from '../gemini-family.ts';
import type { GeminiContent, GeminiPart } from '../gemini-wire.ts';
import { geminiParts } from './gemini-parts.ts';

/**
 * The results of one turn's calls: one content, in the order of the calls, as many responses as calls, whatever the order of the tool
 * messages is. Google refuses anything else. `used` receives the places of the messages that were taken.
 */
export function functionResponses(
  messages: readonly ChatMessage[],
  assistant: number,
  calls: readonly ToolCall[],
  family: GeminiFamily,
  used: Set<number>,
): GeminiContent[] {
  const results = resultsAfter(messages, assistant, calls, used);
  const parts: GeminiPart[] = [];
  const media: GeminiPart[] = [];
  for (const call of calls) {
    const index = results.get(call.id);
    const message = index === undefined ? undefined : messages[index];
    if (index === undefined || !message) throw missing(call.id, assistant, messages.length);
    const { response, files } = toolResult(message, `messages.[${index}]`);
    const inside = family.imagesInResponses && files.length > 0;
    parts.push({ functionResponse: { ...nativeId(call.id, family), name: call.function.name, response, ...(inside && { parts: files }) } });
    if (!inside && files.length > 0) media.push({ text: `Content of the result of ${call.function.name} (${call.id}):` }, ...files);
  }
  return [{ role: 'user', parts }, ...(media.length > 0 ? [{ role: 'user' as const, parts: media }] : [])];
}

/** The places of the results, by the id of their call. They end at the next message of the assistant. */
function resultsAfter(
  messages: readonly ChatMessage[],
  assistant: number,
  calls: readonly ToolCall[],
  used: Set<number>,
): Map<unknown, number> {
  const ids = new Set<unknown>(calls.map(({ id }) => id));
  const found = new Map<unknown, number>();
  for (let index = assistant + 1; index < messages.length; index++) {
    const message = messages[index];
    if (message?.role === 'assistant') break;
    if (message?.role !== 'tool' || !ids.has(message.tool_call_id)) continue;
    found.set(message.tool_call_id, index);
    used.add(index);
  }
  return found;
}

const missing = (id: unknown, assistant: number, count: number) =>
  requestError(
    assistant + 1 < count ? `messages.[${assistant + 1}]` : 'messages',
    `The tool call '${String(id).slice(0, 100)}' of 'messages.[${assistant}]' has no result: a message of the role 'tool' with this 'tool_call_id' must follow.`,
  );

/** Google takes objects only as results. Anything else is wrapped as `{"result": …}`. */
function toolResult({ content }: ChatMessage, place: string): { response: Record<string, unknown>; files: GeminiPart[] } {
  const parts = geminiParts(content, place);
  const text = parts.flatMap((part) => (part.text === undefined ? [] : [part.text])).join('\n');
  return {
    response: parseObject(text) ?? { result: valueOrText(text) },
    files: parts.filter((part) => part.text === undefined),
  };
}

/** The value of a JSON text; the text itself if it is no JSON. */
function valueOrText(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}
