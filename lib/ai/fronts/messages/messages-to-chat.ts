import { createHash } from 'node:crypto';
import type { ChatMessage, ChatRequest, ChatTool, JsonObject } from '../../wire/chat.ts';
import { isObject, textOrEmpty } from '../../wire/wire-values.ts';
import { messageToChat, partsOf } from './message-to-chat.ts';
import type { MessagesRequest } from './messages-request.ts';

/** OpenAI takes no longer name of a user. Claude Code sends one of about 150 characters. */
const LONGEST_USER = 64;
/** OpenAI's models that refuse `reasoning_effort`. Thinking is a hint, which must not turn into a refusal. */
const CANNOT_REASON = /(?:^|\/)(?:gpt-3|gpt-4|chatgpt-4o)/;
/** The efforts that stand for budgets of thinking up to these numbers of tokens. */
const BUDGETS: readonly (readonly [number, string])[] = [
  [2_048, 'low'],
  [8_192, 'medium'],
];

/** Anthropic's request in the gateway's own form, for providers that don't speak Anthropic's. */
export function messagesToChat(request: MessagesRequest): ChatRequest {
  const effort = CANNOT_REASON.test(request.model) ? undefined : effortOf(request);
  const format = isObject(request.output_config) ? request.output_config.format : undefined;
  const user = isObject(request.metadata) ? request.metadata.user_id : undefined;
  return {
    model: request.model,
    messages: [...systemMessage(request.system), ...request.messages.flatMap(messageToChat)],
    ...(request.stream === true && { stream: true }),
    ...(typeof request.max_tokens === 'number' && { max_tokens: request.max_tokens }),
    ...passed(request, ['temperature', 'top_p', 'top_k']),
    ...(Array.isArray(request.stop_sequences) && request.stop_sequences.length > 0 && { stop: request.stop_sequences }),
    ...tools(request),
    ...(isObject(format) && isObject(format.schema) && { response_format: responseFormat(format.schema) }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(typeof user === 'string' && user !== '' && { user: shortUser(user) }),
    ...(request.service_tier === 'auto' && { service_tier: 'auto' }),
    ...(request.service_tier === 'standard_only' && { service_tier: 'default' }),
  };
}

const passed = (request: MessagesRequest, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => request[name] !== undefined && request[name] !== null).map((name) => [name, request[name]]));

function systemMessage(system: MessagesRequest['system']): ChatMessage[] {
  if (typeof system === 'string') return system === '' ? [] : [{ role: 'system', content: system }];
  const parts = (system ?? []).flatMap(partsOf);
  if (parts.length === 0) return [];
  const isPlain = parts.every((part) => part.type === 'text' && part.cache_control === undefined);
  return [{ role: 'system', content: isPlain ? parts.map(({ text }) => textOrEmpty(text)).join('\n\n') : parts }];
}

function tools({ tools: given, tool_choice: choice }: MessagesRequest): Partial<ChatRequest> {
  if (!Array.isArray(given) || given.length === 0) return {};
  const serial = isObject(choice) && choice.disable_parallel_tool_use === true;
  const named = isObject(choice) ? toolChoice(choice) : undefined;
  return {
    tools: given.map(tool),
    ...(named !== undefined && { tool_choice: named }),
    ...(serial && { parallel_tool_calls: false }),
  };
}

/** Tools that Anthropic runs itself have no schema; they stay as they are, for the provider to refuse. */
function tool(given: Record<string, unknown>): ChatTool {
  const { name, description, input_schema, strict, cache_control, type } = given;
  if (!isObject(input_schema)) return { ...given, type: textOrEmpty(type ?? 'custom') };
  return {
    type: 'function',
    function: {
      name: textOrEmpty(name),
      ...(typeof description === 'string' && { description }),
      parameters: input_schema as JsonObject,
      ...(strict === true && { strict }),
    },
    ...(isObject(cache_control) && { cache_control }),
  };
}

function toolChoice({ type, name }: Record<string, unknown>): unknown {
  switch (type) {
    case 'any':
      return 'required';
    case 'tool':
      return { type: 'function', function: { name } };
    default:
      return type === 'none' ? 'none' : 'auto';
  }
}

const responseFormat = (schema: unknown) => ({ type: 'json_schema', json_schema: { name: 'answer', schema } });

/** The hint that OpenAI has for Anthropic's thinking. Explicit words about the effort win over a budget. */
function effortOf({ thinking, output_config }: MessagesRequest): string | undefined {
  const type = isObject(thinking) ? thinking.type : undefined;
  const effort = isObject(output_config) ? output_config.effort : undefined;
  if (type !== 'enabled' && type !== 'adaptive') return undefined;
  if (typeof effort === 'string') return effort === 'max' || effort === 'xhigh' ? 'high' : effort;
  const budget = isObject(thinking) ? thinking.budget_tokens : undefined;
  if (typeof budget !== 'number') return undefined;
  return BUDGETS.find(([most]) => budget <= most)?.[1] ?? 'high';
}

const shortUser = (user: string) => (user.length <= LONGEST_USER ? user : createHash('sha256').update(user).digest('hex'));
