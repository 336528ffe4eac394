import type { ChatMessage, JsonObject } from '../../wire/chat.ts';
import { parseObject } from '../../wire/exact-json.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { requestError } from '../../wire/request-error.ts';
import { toolCallIdFor } from '../../wire/tool-call-ids.ts';
import { contentBlocks } from './anthropic-content.ts';
import { thinkingBlocks } from './anthropic-thinking.ts';

const TOOL_ID = /^[a-zA-Z0-9_-]+$/;

export interface AnthropicTurn {
  role: 'user' | 'assistant';
  content: JsonObject[];
}
export interface AnthropicConversation {
  system: JsonObject[];
  turns: AnthropicTurn[];
}

/** The calls of an assistant's turn, which the next user's turn must answer one by one. */
interface OpenCalls {
  calls: { id: string; param: string }[];
  results: Map<string, JsonObject>;
}

/**
 * Anthropic's conversation: system messages apart, turns that alternate and begin with the user's, and the results of tools at the
 * beginning of the user's turn, in the order of their calls. Throws for a history that Anthropic can't take, and names the message.
 */
export function conversation(
  messages: readonly ChatMessage[],
  { replayThinking, warn }: { replayThinking: boolean; warn(text: string): void },
): AnthropicConversation {
  const system: JsonObject[] = [];
  const turns: AnthropicTurn[] = [];
  let open: OpenCalls = { calls: [], results: new Map() };
  let users: JsonObject[] = [];

  const add = (role: AnthropicTurn['role'], content: JsonObject[]) => {
    const last = turns.at(-1);
    if (content.length === 0) return;
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  };
  const closeUserTurn = () => {
    add('user', [...open.calls.map((call) => resultOf(call, open.results)), ...users]);
    open = { calls: [], results: new Map() };
    users = [];
  };

  messages.forEach((message, index) => {
    const param = `messages.[${index}]`;
    const blocks = withCacheControl(contentBlocks(message.content, `${param}.content`), message);
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...blocks);
        return;
      case 'user':
        users.push(...blocks);
        return;
      case 'tool':
        addResult(open, message, blocks, param);
        return;
      case 'assistant': {
        closeUserTurn();
        const calls = callBlocks(message, param);
        const thinking = replayThinking ? thinkingBlocks(message) : [];
        add('assistant', [...thinking, ...blocks, ...calls.map(({ block }) => block)]);
        open = { calls: calls.map(({ block, param: at }) => ({ id: String(block.id), param: at })), results: new Map() };
        return;
      }
      default:
        throw requestError(`${param}.role`, `Anthropic takes no message with the role '${String(message.role).slice(0, 40)}'.`);
    }
  });
  closeUserTurn();
  return { system, turns: completeTurns(turns, messages.length, warn) };
}

function completeTurns(turns: AnthropicTurn[], count: number, warn: (text: string) => void): AnthropicTurn[] {
  const [first] = turns;
  if (!first) throw requestError(`messages.[${Math.max(0, count - 1)}].content`, 'All messages are blank; Anthropic needs some text.');
  if (first.role === 'assistant') {
    warn('a user message was added at the beginning: Anthropic refuses a conversation that begins with the assistant');
    turns.unshift({ role: 'user', content: [{ type: 'text', text: '.' }] });
  }
  const last = turns.at(-1);
  const text = last?.content.at(-1);
  // Anthropic refuses white space at the end of a text that the model shall continue.
  if (last?.role === 'assistant' && typeof text?.text === 'string') text.text = text.text.trimEnd();
  return turns;
}

function resultOf({ id, param }: OpenCalls['calls'][number], results: ReadonlyMap<string, JsonObject>): JsonObject {
  const result = results.get(id);
  if (result) return result;
  throw requestError(param, `The tool call in '${param}' has no tool message with its result.`);
}

function addResult({ calls, results }: OpenCalls, message: ChatMessage, content: JsonObject[], param: string): void {
  if (typeof message.tool_call_id !== 'string') {
    throw requestError(`${param}.tool_call_id`, `'${param}.tool_call_id' must name the tool call that this message answers.`);
  }
  const id = toolCallIdFor(message.tool_call_id, TOOL_ID);
  if (!calls.some((call) => call.id === id)) {
    throw requestError(`${param}.tool_call_id`, `'${param}.tool_call_id' names no tool call of the assistant's message before it.`);
  }
  const [only] = content;
  const isText = content.length === 1 && only?.type === 'text' && only.cache_control === undefined;
  results.set(id, {
    type: 'tool_result',
    tool_use_id: id,
    content: content.length === 0 ? '' : isText && only?.text !== undefined ? only.text : content,
    ...(message.is_error === true && { is_error: true }),
  });
}

function callBlocks({ tool_calls }: ChatMessage, param: string): { block: JsonObject; param: string }[] {
  if (!Array.isArray(tool_calls)) return [];
  return tool_calls.map((call, index) => {
    const at = `${param}.tool_calls.[${index}]`;
    const { name, arguments: text } = isJsonObject(call?.function) ? call.function : {};
    if (typeof call?.id !== 'string') throw requestError(`${at}.id`, `'${at}.id' must be a text.`);
    if (typeof name !== 'string') throw requestError(`${at}.function.name`, `'${at}.function.name' must be a text.`);
    return { block: { type: 'tool_use', id: toolCallIdFor(call.id, TOOL_ID), name, input: argumentsOf(text, at) }, param: `${at}.id` };
  });
}

function argumentsOf(text: unknown, at: string): JsonObject {
  if (text === undefined || text === null || (typeof text === 'string' && text.trim() === '')) return {};
  const input = typeof text === 'string' ? parseObject(text) : text;
  if (isJsonObject(input)) return input;
  throw requestError(`${at}.function.arguments`, `'${at}.function.arguments' must be the JSON text of one object.`);
}

/** A mark for the cache on a whole message stands on its last block. */
function withCacheControl(blocks: JsonObject[], { cache_control }: ChatMessage): JsonObject[] {
  const last = blocks.at(-1);
  return isJsonObject(cache_control) && last ? [...blocks.slice(0, -1), { ...last, cache_control }] : blocks;
}
