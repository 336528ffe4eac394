import { sseEvent } from '../../../platform/sse/sse-writer.ts';
import type { StreamFrame } from '../../completion/stream-frame.ts';
import { type CalledTool, calledTool } from '../../wire/called-tool.ts';
import type { ChatChunk, ChunkDelta, FinishReason, ToolCallDelta } from '../../wire/chat.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import { anthropicErrorFrame, inferenceError } from '../../wire/inference-errors.ts';
import { spliceMembers } from '../../wire/json-splice.ts';
import { type NativeEvent, nativeEventsOf } from '../../wire/native-answer.ts';
import { isObject, textOrEmpty } from '../../wire/wire-values.ts';
import { messageId, messageUsage, stopReason, thinkingBlock, withPrompt } from './message-parts.ts';

interface StreamState {
  promptTokens: number;
  begun: boolean;
  /** The events are our own, because the stream came from another provider than Anthropic, or two providers made it. */
  translated: boolean;
  /** Anthropic's own `message_delta` has gone out. */
  ended: boolean;
  /** The place of the next block. */
  next: number;
  /** The block that is being written. */
  open: { index: number; type: string } | undefined;
  /** The calls that have begun, by their place. */
  calls: Map<number, BegunCall>;
  finish: FinishReason;
  usage: Record<string, unknown> | undefined;
  brokle: unknown;
}

/** A block is written to its end before the next one begins, so that a call may have to wait until another one is complete. */
interface BegunCall {
  /** The place of its block; undefined while the call waits. */
  block: number | undefined;
  use: Record<string, unknown>;
  arguments: string;
}

/** Writes one stream as Anthropic's events. What came from Anthropic itself goes out as it came. */
export function messagesStream(promptTokens: number): (frame: StreamFrame) => string {
  const state: StreamState = {
    promptTokens,
    begun: false,
    translated: false,
    ended: false,
    next: 0,
    open: undefined,
    calls: new Map(),
    finish: 'stop',
    usage: undefined,
    brokle: undefined,
  };
  return (frame) => {
    switch (frame.kind) {
      case 'chunk': {
        const events = nativeEventsOf(frame.chunk);
        // A second beginning belongs to a provider that goes on with another one's answer.
        state.translated ||= events === undefined || (state.begun && events.some(({ type }) => type === 'message_start'));
        return state.translated || !events ? chunkText(state, frame.chunk) : nativeText(state, events, frame.chunk.brokle);
      }
      case 'keep-alive':
        return event('ping', {});
      case 'failure':
        return anthropicErrorFrame(inferenceError(frame.error));
      case 'done':
        return endText(state);
    }
  };
}

const event = (type: string, members: Record<string, unknown>) => sseEvent(type, JSON.stringify({ type, ...members }));

/** Passes Anthropic's events on, and follows the blocks, in case another provider has to go on. */
function nativeText(state: StreamState, events: readonly NativeEvent[], brokle: unknown): string {
  let text = '';
  state.begun = true;
  for (const { type, data } of events) {
    const line = data.includes('\n') ? data.replaceAll('\n', ' ') : data;
    text += sseEvent(type, FOLLOWED.has(type) ? followed(state, type, line, brokle) : line);
  }
  return text;
}

/** Events that are read on their way through. */
const FOLLOWED: ReadonlySet<string> = new Set(['message_start', 'message_delta', 'content_block_start', 'content_block_stop']);

/** The event's JSON as it goes out: unchanged, but for an empty prompt and for `brokle`. */
function followed(state: StreamState, type: string, line: string, brokle: unknown): string {
  const { index, content_block: block, message, usage }: Record<string, unknown> = JSON.parse(line);
  switch (type) {
    case 'content_block_start':
      if (typeof index !== 'number') return line;
      state.next = index + 1;
      state.open = { index, type: isObject(block) ? textOrEmpty(block.type) : '' };
      return line;
    case 'content_block_stop':
      state.open = undefined;
      return line;
    case 'message_start': {
      if (!isObject(message) || !isObject(message.usage)) return line;
      const filled = withPrompt(message.usage, state.promptTokens);
      const same = filled.input_tokens === message.usage.input_tokens;
      return same ? line : spliceMembers(line, { message: JSON.stringify({ ...message, usage: filled }) });
    }
    default: {
      state.ended = true;
      const filled = isObject(usage) && typeof usage.input_tokens === 'number' ? withPrompt(usage, state.promptTokens) : usage;
      const same = !isObject(filled) || !isObject(usage) || filled.input_tokens === usage.input_tokens;
      return spliceMembers(line, {
        ...(same ? {} : { usage: JSON.stringify(filled) }),
        ...(brokle !== undefined && { brokle: JSON.stringify(brokle) }),
      });
    }
  }
}

function chunkText(state: StreamState, chunk: ChatChunk): string {
  let text = '';
  if (!state.begun) {
    state.begun = true;
    const usage = messageUsage(isObject(chunk.usage) ? chunk.usage : { prompt_tokens: state.promptTokens, completion_tokens: 1 });
    const message = { id: messageId(chunk.id), type: 'message', role: 'assistant', model: chunk.model, content: [] };
    text += event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } });
  }
  if (isObject(chunk.usage)) state.usage = chunk.usage;
  if (chunk.brokle !== undefined) state.brokle = chunk.brokle;
  const [choice] = chunk.choices;
  if (!choice) return text;
  if (choice.finish_reason) state.finish = choice.finish_reason;
  return text + deltaText(state, choice.delta);
}

function deltaText(state: StreamState, { content, reasoning_content, reasoning_details, refusal, tool_calls }: ChunkDelta): string {
  let text = '';
  if (reasoning_content) {
    text += inBlock(state, 'thinking', { type: 'thinking', thinking: '', signature: '' });
    text += blockDelta(state, { type: 'thinking_delta', thinking: reasoning_content });
  }
  for (const detail of reasoning_details ?? []) text += detailText(state, thinkingBlock(detail));
  for (const said of [content, refusal]) {
    if (!said) continue;
    text += inBlock(state, 'text', { type: 'text', text: '' });
    text += blockDelta(state, { type: 'text_delta', text: said });
  }
  for (const call of tool_calls ?? []) text += callText(state, call);
  return text;
}

/** A signature ends the block of thinking that it signs; a redacted block comes whole. */
function detailText(state: StreamState, block: Record<string, string> | undefined): string {
  if (!block) return '';
  if (block.type !== 'thinking') return closeBlock(state) + openBlock(state, block) + closeBlock(state);
  let text = '';
  if (state.open?.type !== 'thinking') {
    text += closeBlock(state) + openBlock(state, { type: 'thinking', thinking: '', signature: '' });
    if (block.thinking !== '') text += blockDelta(state, { type: 'thinking_delta', thinking: block.thinking });
  }
  return text + blockDelta(state, { type: 'signature_delta', signature: block.signature }) + closeBlock(state);
}

function callText(state: StreamState, delta: ToolCallDelta): string {
  const { name, arguments: part } = calledTool(delta);
  const known = state.calls.get(delta.index);
  if (!known) return beginCall(state, delta, { name, arguments: part });
  known.arguments += part;
  return known.block === undefined || part === '' ? '' : argumentsDelta(known.block, part);
}

/** Parallel calls may come in turns. Then the open one goes on, and the others are written when the stream ends. */
function beginCall(state: StreamState, { index, id, thought_signature }: ToolCallDelta, { name, arguments: part }: CalledTool): string {
  const use = {
    type: 'tool_use',
    id: id ?? `toolu_${index}`,
    name,
    input: {},
    ...(thought_signature !== undefined && { thought_signature }),
  };
  const call: BegunCall = { block: undefined, use, arguments: part };
  const writing = [...state.calls.values()].find(({ block }) => block !== undefined && block === state.open?.index);
  state.calls.set(index, call);
  return writing && parsePlainJson(writing.arguments) === undefined ? '' : openCall(state, call);
}

function openCall(state: StreamState, call: BegunCall): string {
  const text = closeBlock(state) + openBlock(state, call.use);
  call.block = state.next - 1;
  return call.arguments === '' ? text : text + argumentsDelta(call.block, call.arguments);
}

const argumentsDelta = (index: number, partial_json: string): string =>
  event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } });

const waitingCalls = (state: StreamState): string =>
  [...state.calls.values()].map((call) => (call.block === undefined ? openCall(state, call) : '')).join('');

/** Opens a block unless one of the type is open. */
const inBlock = (state: StreamState, type: string, block: Record<string, unknown>): string =>
  state.open?.type === type ? '' : closeBlock(state) + openBlock(state, block);

function openBlock(state: StreamState, block: Record<string, unknown>): string {
  const index = state.next++;
  state.open = { index, type: textOrEmpty(block.type) };
  return event('content_block_start', { index, content_block: block });
}

function closeBlock(state: StreamState): string {
  const { open } = state;
  state.open = undefined;
  return open ? event('content_block_stop', { index: open.index }) : '';
}

const blockDelta = ({ open }: StreamState, delta: Record<string, unknown>): string =>
  event('content_block_delta', { index: open?.index ?? 0, delta });

function endText(state: StreamState): string {
  const stop = event('message_stop', {});
  if (state.ended) return closeBlock(state) + stop;
  const usage = withPrompt(messageUsage(state.usage ?? {}), state.promptTokens);
  const delta = { stop_reason: stopReason(state.finish), stop_sequence: null };
  return (
    waitingCalls(state) +
    closeBlock(state) +
    event('message_delta', { delta, usage, ...(state.brokle !== undefined && { brokle: state.brokle }) }) +
    stop
  );
}
