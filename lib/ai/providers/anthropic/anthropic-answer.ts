import type { FinishReason, JsonObject, ReasoningDetail, ToolCall } from '../../wire/chat.ts';
import { hasRiskyNumber, parseJson } from '../../wire/exact-json.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { withNativeBody } from '../../wire/native-answer.ts';
import { textOrEmpty } from '../../wire/wire-values.ts';
import { type DecodedCompletion, type Target, UnusableAnswer } from '../adapter.ts';
import { JSON_TOOL } from './anthropic-tools.ts';
import { mergeUsage, openaiUsage, reportedUsage } from './anthropic-usage.ts';

/** OpenAI's reason for Anthropic's. A reason that is not known yet counts as a normal end. */
export function finishReason(stop: unknown): FinishReason {
  switch (stop) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** OpenAI's answer for Anthropic's. `created` is 0: Anthropic doesn't say when, and an adapter reads no clock. */
export function anthropicAnswer(parsed: unknown, _target?: Target, text = ''): DecodedCompletion {
  // Inputs of tools are written as they came, so their numbers must keep their digits.
  const body = text.includes('"input"') && hasRiskyNumber(text) ? parseJson(text) : parsed;
  if (!isJsonObject(body) || !Array.isArray(body.content)) throw new UnusableAnswer('the answer is no message of Anthropic');
  const blocks = body.content.filter(isJsonObject);
  const jsonAnswer = blocks.find(({ type, name }) => type === 'tool_use' && name === JSON_TOOL);
  const tool_calls = blocks.filter((block) => block !== jsonAnswer && block.type === 'tool_use').map(toolCall);
  const content = jsonAnswer ? JSON.stringify(jsonAnswer.input ?? {}) : joined(blocks, 'text', 'text');
  const reasoning_details = blocks.flatMap(reasoningDetail);
  const reasoning = joined(blocks, 'thinking', 'thinking');
  const explanation = isJsonObject(body.stop_details) ? body.stop_details.explanation : null;
  const fields = mergeUsage({}, body.usage);
  const finish_reason = jsonAnswer && tool_calls.length === 0 && body.stop_reason === 'tool_use' ? 'stop' : finishReason(body.stop_reason);
  return {
    completion: withNativeBody(
      {
        id: textOrEmpty(body.id),
        object: 'chat.completion',
        created: 0,
        model: textOrEmpty(body.model),
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: content === '' && tool_calls.length > 0 ? null : content,
              refusal: body.stop_reason === 'refusal' && typeof explanation === 'string' ? explanation : null,
              ...(reasoning !== '' && { reasoning_content: reasoning }),
              ...(reasoning_details.length > 0 && { reasoning_details }),
              ...(tool_calls.length > 0 && { tool_calls }),
            },
            logprobs: null,
            finish_reason,
          },
        ],
        ...(isJsonObject(body.usage) && { usage: openaiUsage(fields) }),
      },
      body,
    ),
    usage: isJsonObject(body.usage) ? reportedUsage(fields) : undefined,
  };
}

const joined = (blocks: JsonObject[], type: string, member: string) =>
  blocks
    .filter((block) => block.type === type && typeof block[member] === 'string')
    .map((block) => block[member])
    .join('');

const toolCall = ({ id, name, input }: JsonObject): ToolCall => ({
  id: textOrEmpty(id),
  type: 'function',
  function: { name: textOrEmpty(name), arguments: JSON.stringify(input ?? {}) },
});

/** The signed or redacted block as `reasoning_details` carries it, so that the client can send it back. */
export function reasoningDetail({ type, thinking, signature, data }: JsonObject): ReasoningDetail[] {
  if (type === 'thinking' && typeof signature === 'string' && signature !== '') {
    return [{ type, text: typeof thinking === 'string' ? thinking : '', signature }];
  }
  return type === 'redacted_thinking' && typeof data === 'string' ? [{ type, data }] : [];
}
