import { estimateTokens } from '../../pricing/token-estimate.ts';
import { calledTool } from '../../wire/called-tool.ts';
import type { ChatCompletion, ChatMessage, ToolCall } from '../../wire/chat.ts';
import { parseObject } from '../../wire/exact-json.ts';
import { nativeBodyOf } from '../../wire/native-answer.ts';
import { isObject } from '../../wire/wire-values.ts';
import { messageId, messageUsage, stopReason, thinkingBlock, withPrompt } from './message-parts.ts';

/** Anthropic's answer for the gateway's own. An answer that came from Anthropic goes out as it came. */
export function chatToMessage(completion: ChatCompletion, promptTokens: number): Record<string, unknown> {
  const native = nativeBodyOf(completion);
  const { brokle } = completion;
  if (native) return { ...native, ...(isObject(native.usage) && { usage: withPrompt(native.usage, promptTokens) }), brokle };
  const [choice] = completion.choices;
  const content = choice ? contentBlocks(choice.message) : [];
  return {
    id: messageId(completion.id),
    type: 'message',
    role: 'assistant',
    model: completion.model,
    content,
    stop_reason: stopReason(choice?.finish_reason ?? 'stop'),
    stop_sequence: null,
    usage: completion.usage
      ? withPrompt(messageUsage(completion.usage), promptTokens)
      : messageUsage({ prompt_tokens: promptTokens, completion_tokens: estimateTokens(JSON.stringify(content)) }),
    brokle,
  };
}

function contentBlocks(message: ChatMessage): Record<string, unknown>[] {
  const thinking = (message.reasoning_details ?? []).map(thinkingBlock).filter((block) => block !== undefined);
  const { reasoning_content: reasoning, content, refusal } = message;
  const unsigned = thinking.length === 0 && typeof reasoning === 'string' && reasoning !== '';
  const texts = [content, refusal].filter((text) => typeof text === 'string' && text !== '');
  return [
    ...thinking,
    ...(unsigned ? [{ type: 'thinking', thinking: reasoning, signature: '' }] : []),
    ...texts.map((text) => ({ type: 'text', text })),
    ...(message.tool_calls ?? []).map(toolUse),
  ];
}

function toolUse(call: ToolCall): Record<string, unknown> {
  const { id, thought_signature } = call;
  const { name, arguments: text } = calledTool(call);
  // Gemini wants its signature back with the call, and clients send blocks back as they came.
  return { type: 'tool_use', id, name, input: inputOf(text), ...(thought_signature !== undefined && { thought_signature }) };
}

/** Anthropic's clients read an object. A model's text that is none must not be lost. */
function inputOf(text: string): Record<string, unknown> {
  return text.trim() === '' ? {} : (parseObject(text) ?? { arguments: text });
}
