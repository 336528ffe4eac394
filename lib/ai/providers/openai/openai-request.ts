import type { ChatMessage, ChatRequest } from '../../wire/chat.ts';
import { type MemberChanges, spliceMembers } from '../../wire/json-splice.ts';
import { absent, isObject } from '../../wire/wire-values.ts';
import { type ChatCall, reservedOutputTokens, type Target } from '../adapter.ts';
import type { Preset } from './openai-presets.ts';

export interface OpenaiBody {
  body: string;
  /** Members that the caller did not send. */
  injected: readonly string[];
}

/** The body for a server that speaks OpenAI: the caller's own text, with as few members changed as possible. */
export function openaiChatBody(call: ChatCall, target: Target, preset: Preset): OpenaiBody {
  const changes: Record<string, string | undefined> = {};
  const injected: string[] = [];
  const { request } = call;
  if (asksForUsage(request, target, preset)) {
    if (absent(request.stream_options)) injected.push('stream_options');
    changes.stream_options = JSON.stringify({ ...request.stream_options, include_usage: true });
  }
  setLimit(call, target, preset, changes);
  const messages = mendedMessages(request.messages, preset);
  if (messages) changes.messages = JSON.stringify(messages);
  return { body: openaiBody(request, call.text, target.model, changes), injected };
}

/** The body of any operation with the target's model, without the gateway's own options, and with these changes. */
export function openaiBody(
  request: Record<string, unknown> & { model: string },
  text: string | undefined,
  model: string,
  changes: Record<string, string | undefined>,
): string {
  if (request.model !== model) changes.model = JSON.stringify(model);
  if (Object.hasOwn(request, 'brokle')) changes.brokle = undefined;
  if (text === undefined) return written(request, changes);
  for (const _change in changes) return spliceMembers(text, changes);
  return text;
}

function written(request: Record<string, unknown>, changes: MemberChanges): string {
  const members = Object.entries(request)
    .filter(([name, value]) => value !== undefined && !Object.hasOwn(changes, name))
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  for (const [name, json] of Object.entries(changes)) if (json !== undefined) members.push(`${JSON.stringify(name)}:${json}`);
  return `{${members.join(',')}}`;
}

function asksForUsage({ stream, stream_options }: ChatRequest, { without_stream_usage }: Target, preset: Preset): boolean {
  if (stream !== true || without_stream_usage || preset.stream_usage === 'always') return false;
  return stream_options?.include_usage !== true;
}

/** OpenAI's models that reason refuse `max_tokens`; many other servers know nothing else. */
const REASONS = /^(o\d|gpt-[5-9])/;

function setLimit(call: ChatCall, target: Target, preset: Preset, changes: Record<string, string | undefined>) {
  const { max_tokens: older, max_completion_tokens: newer } = call.request;
  const { model, type } = target;
  const needsNewer = (type === 'openai' || type === 'azure') && REASONS.test(model);
  if (absent(older) && absent(newer)) {
    const limit = reservedOutputTokens(call, target);
    if (limit !== undefined) changes[preset.limit_name ?? 'max_completion_tokens'] = JSON.stringify(limit);
  } else if (preset.limit_name === 'max_tokens' && absent(older)) {
    changes.max_completion_tokens = undefined;
    changes.max_tokens = JSON.stringify(newer);
  } else if (needsNewer && absent(newer)) {
    changes.max_tokens = undefined;
    changes.max_completion_tokens = JSON.stringify(older);
  }
}

/** The messages as this server takes them, or undefined if they can go as they are. */
function mendedMessages(messages: readonly ChatMessage[], preset: Preset): ChatMessage[] | undefined {
  let changed = false;
  let mended = messages.map((message) => {
    let next = message;
    if (preset.system_role_only && message.role === 'developer') next = { ...next, role: 'system' };
    if (preset.strict_messages && message.role === 'assistant') next = withoutReasoning(next);
    if (next !== message) changed = true;
    return next;
  });
  if (preset.one_system_message) {
    const joined = joinSystemMessages(mended);
    if (joined) {
      mended = joined;
      changed = true;
    }
  }
  return changed ? mended : undefined;
}

/** Reasoning and its signatures from another provider, which the gateway has put into the history. */
function withoutReasoning(message: ChatMessage): ChatMessage {
  const { reasoning_content, reasoning_details, reasoning, ...rest } = message;
  const signed = message.tool_calls?.some((call) => Object.hasOwn(call, 'thought_signature')) ?? false;
  if (reasoning_content === undefined && reasoning_details === undefined && reasoning === undefined && !signed) return message;
  if (!signed || !message.tool_calls) return rest;
  return { ...rest, tool_calls: message.tool_calls.map(({ thought_signature: _own, ...call }) => call) };
}

function joinSystemMessages(messages: readonly ChatMessage[]): ChatMessage[] | undefined {
  const systems = messages.filter(({ role }) => role === 'system');
  if (systems.length === 0 || (systems.length === 1 && messages[0]?.role === 'system')) return undefined;
  const content = systems
    .map(textOfMessage)
    .filter((text) => text.trim() !== '')
    .join('\n\n');
  const others = messages.filter(({ role }) => role !== 'system');
  return content === '' ? others : [{ role: 'system', content }, ...others];
}

function textOfMessage({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n');
}
