import type { ChunkDelta, FinishReason, JsonObject } from '../../wire/chat.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { type NativeEvent, withNativeEvents } from '../../wire/native-answer.ts';
import { textOrEmpty } from '../../wire/wire-values.ts';
import type { StreamDecoder, StreamPart, UpstreamFailure } from '../adapter.ts';
import { finishReason, reasoningDetail } from './anthropic-answer.ts';
import { anthropicFailureIn } from './anthropic-failures.ts';
import { JSON_TOOL } from './anthropic-tools.ts';
import { mergeUsage, openaiUsage, reportedUsage } from './anthropic-usage.ts';

const MALFORMED: UpstreamFailure = {
  status: 502,
  blame: 'provider',
  message: 'The provider sent an event that is no JSON object.',
  code: null,
  param: null,
};

/** A block that has begun and not ended. */
interface OpenBlock {
  block: JsonObject;
  /** The place of a tool's call among the calls, which is not the place of its block. */
  call: number | undefined;
  /** A part of the arguments has gone out. */
  hasArguments: boolean;
  thinking: string;
  signature: string;
}

interface StreamState {
  id: string;
  model: string;
  usage: Record<string, unknown>;
  /** Calls of the client's tools so far. */
  calls: number;
  /** The answer comes as the arguments of the gateway's own tool. */
  answersByTool: boolean;
  open: Map<unknown, OpenBlock>;
  /** Events that no chunk carries yet. */
  events: NativeEvent[];
}

/** Reads one stream of Anthropic's events. */
export function anthropicStream(): StreamDecoder {
  const state: StreamState = { id: '', model: '', usage: {}, calls: 0, answersByTool: false, open: new Map(), events: [] };
  return {
    decode({ data }) {
      const event = parsePlainJson(data);
      if (!isJsonObject(event)) return [{ kind: 'failure', failure: MALFORMED }];
      const parts = decode(state, event);
      // Pings have done their work, and the end is told by the front that writes the events.
      if (event.type !== 'ping' && event.type !== 'message_stop') state.events.push({ type: textOrEmpty(event.type), data });
      const last = parts.findLast((part) => part.kind === 'chunk');
      for (const part of parts) if (part.kind === 'chunk') withNativeEvents(part.chunk, part === last ? state.events.splice(0) : []);
      return parts;
    },
    end: () => [],
  };
}

function decode(state: StreamState, event: JsonObject): StreamPart[] {
  switch (event.type) {
    case 'message_start':
      return start(state, event);
    case 'content_block_start':
      return startBlock(state, event);
    case 'content_block_delta':
      return addToBlock(state, event);
    case 'content_block_stop':
      return endBlock(state, event);
    case 'message_delta':
      return endMessage(state, event);
    case 'message_stop':
      return [{ kind: 'done' }];
    default: {
      const failure = anthropicFailureIn(event);
      return failure ? [{ kind: 'failure', failure }] : [];
    }
  }
}

function chunk({ id, model }: StreamState, delta: ChunkDelta, finish_reason: FinishReason | null = null): StreamPart {
  const choice = { index: 0, delta, logprobs: null, finish_reason };
  return { kind: 'chunk', chunk: { id, object: 'chat.completion.chunk', created: 0, model, choices: [choice] } };
}

function argumentsChunk(state: StreamState, one: OpenBlock, text: string): StreamPart {
  one.hasArguments = true;
  const delta = one.call === undefined ? { content: text } : { tool_calls: [{ index: one.call, function: { arguments: text } }] };
  return chunk(state, delta);
}

function start(state: StreamState, { message }: JsonObject): StreamPart[] {
  if (!isJsonObject(message)) return [];
  state.id = textOrEmpty(message.id);
  state.model = textOrEmpty(message.model);
  state.usage = mergeUsage(state.usage, message.usage);
  return [chunk(state, { role: 'assistant', content: '' }), { kind: 'usage', usage: reportedUsage(state.usage) }];
}

function startBlock(state: StreamState, { index, content_block: block }: JsonObject): StreamPart[] {
  if (!isJsonObject(block)) return [];
  const isAnswer = block.type === 'tool_use' && block.name === JSON_TOOL;
  const call = block.type === 'tool_use' && !isAnswer ? state.calls++ : undefined;
  state.answersByTool ||= isAnswer;
  const thinking = block.type === 'thinking' && typeof block.thinking === 'string' ? block.thinking : '';
  const signature = typeof block.signature === 'string' ? block.signature : '';
  state.open.set(index, { block, call, hasArguments: false, thinking, signature });
  if (block.type === 'text' && typeof block.text === 'string' && block.text !== '') return [chunk(state, { content: block.text })];
  if (thinking !== '') return [chunk(state, { reasoning_content: thinking })];
  if (call === undefined) return [];
  const named = { name: textOrEmpty(block.name), arguments: '' };
  return [chunk(state, { tool_calls: [{ index: call, id: textOrEmpty(block.id), type: 'function', function: named }] })];
}

function addToBlock(state: StreamState, { index, delta }: JsonObject): StreamPart[] {
  const one = state.open.get(index);
  if (!isJsonObject(delta)) return [];
  if (delta.type === 'text_delta' && typeof delta.text === 'string') return [chunk(state, { content: delta.text })];
  if (delta.type === 'input_json_delta' && typeof delta.partial_json === 'string') {
    // Anthropic begins with an empty part. Calls of its own tools are none of the client's.
    return one?.block.type === 'tool_use' && delta.partial_json !== '' ? [argumentsChunk(state, one, delta.partial_json)] : [];
  }
  if (delta.type === 'thinking_delta' && typeof delta.thinking === 'string') {
    if (one) one.thinking += delta.thinking;
    return delta.thinking === '' ? [] : [chunk(state, { reasoning_content: delta.thinking })];
  }
  if (delta.type === 'signature_delta' && typeof delta.signature === 'string' && one) one.signature += delta.signature;
  return [];
}

function endBlock(state: StreamState, { index }: JsonObject): StreamPart[] {
  const one = state.open.get(index);
  state.open.delete(index);
  if (!one) return [];
  if (one.block.type === 'tool_use' && !one.hasArguments) return [argumentsChunk(state, one, JSON.stringify(one.block.input ?? {}))];
  const details = reasoningDetail({ ...one.block, thinking: one.thinking, signature: one.signature });
  return details.length > 0 ? [chunk(state, { reasoning_details: details })] : [];
}

function endMessage(state: StreamState, { delta, usage }: JsonObject): StreamPart[] {
  state.usage = mergeUsage(state.usage, usage);
  const reported: StreamPart = { kind: 'usage', usage: reportedUsage(state.usage) };
  if (!isJsonObject(delta) || typeof delta.stop_reason !== 'string') return [reported];
  const onlyAnswer = state.answersByTool && state.calls === 0 && delta.stop_reason === 'tool_use';
  const details = isJsonObject(delta.stop_details) ? delta.stop_details : {};
  const explained = delta.stop_reason === 'refusal' && typeof details.explanation === 'string';
  const refusal = explained ? [chunk(state, { refusal: String(details.explanation) })] : [];
  const last = chunk(state, {}, onlyAnswer ? 'stop' : finishReason(delta.stop_reason));
  if (last.kind === 'chunk') last.chunk.usage = openaiUsage(state.usage);
  return [...refusal, reported, last];
}
