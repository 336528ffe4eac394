import { expect, test } from '@jest/globals';
import { ChunkRules } from '../../lib/ai/completion/rules/chunk-rules.ts';
import { chatToMessage } from '../../lib/ai/fronts/messages/chat-to-message.ts';
import { checkMessagesRequest } from '../../lib/ai/fronts/messages/messages-request.ts';
import { messagesStream } from '../../lib/ai/fronts/messages/messages-stream.ts';
import { messagesToChat } from '../../lib/ai/fronts/messages/messages-to-chat.ts';
import { anthropicAdapter } from '../../lib/ai/providers/anthropic/anthropic-adapter.ts';
import type { ChatChunk, ChatCompletion, ChunkDelta, FinishReason } from '../../lib/ai/wire/chat.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { createSseParser } from '../../lib/platform/sse/sse-parser.ts';
import { answerJson, answerNames, answerSse, claude, decodeStream } from './anthropic-fixtures.ts';

const user = { role: 'user', content: 'hi' };
const toChat = (request: Record<string, unknown>) =>
  messagesToChat(checkMessagesRequest({ model: 'm', max_tokens: 10, messages: [user], ...request }));

const chunk = (delta: ChunkDelta, finish_reason: FinishReason | null = null, more: Partial<ChatChunk> = {}): ChatChunk => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});
const call = (index: number, id: string | undefined, name: string | undefined, text: string) =>
  chunk({
    tool_calls: [
      {
        index,
        ...(id !== undefined && { id, type: 'function' as const }),
        function: { ...(name !== undefined && { name }), arguments: text },
      },
    ],
  });
const WIRE_USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };
const usageChunk = (usage: ChatChunk['usage']): ChatChunk => ({ ...chunk({}), choices: [], usage: usage ?? null });

function eventsOf(chunks: readonly ChatChunk[], promptTokens = 7): { event: string; data: Record<string, unknown> }[] {
  const write = messagesStream(promptTokens);
  const text = [...chunks.map((one) => write({ kind: 'chunk', chunk: one })), write({ kind: 'done' })].join('');
  return createSseParser()
    .push(Buffer.from(text))
    .map(({ event, data }) => ({ event, data: JSON.parse(data) }));
}

test('a request is translated with its system, images, documents, tools and wishes', () => {
  expect(
    toChat({
      stream: true,
      system: [
        { type: 'text', text: 's' },
        { type: 'text', text: 't', cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
            { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
            { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JV' } },
          ],
        },
      ],
      tools: [{ name: 't', description: 'd', input_schema: { type: 'object' }, strict: true }],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      thinking: { type: 'enabled', budget_tokens: 4_000 },
      temperature: 0.5,
    }),
  ).toEqual({
    model: 'm',
    max_tokens: 10,
    stream: true,
    messages: [
      {
        role: 'system',
        content: [
          { type: 'text', text: 's' },
          { type: 'text', text: 't', cache_control: { type: 'ephemeral' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JV' } },
        ],
      },
    ],
    tools: [{ type: 'function', function: { name: 't', description: 'd', parameters: { type: 'object' }, strict: true } }],
    tool_choice: 'required',
    parallel_tool_calls: false,
    stop: ['END'],
    user: 'u1',
    reasoning_effort: 'medium',
    temperature: 0.5,
  });
});

test('tool calls, their results and signed thinking become messages in OpenAI’s order', () => {
  const { messages } = toChat({
    messages: [
      user,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'sig' },
          { type: 'text', text: 'wait' },
          { type: 'tool_use', id: 'toolu_1', name: 't', input: { a: 1 } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'and?' },
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            is_error: true,
            content: [
              { type: 'text', text: 'no' },
              { type: 'image', source: { type: 'url', url: 'https://example.org/b' } },
            ],
          },
        ],
      },
    ],
  });
  expect(messages.slice(1)).toEqual([
    {
      role: 'assistant',
      content: 'wait',
      reasoning_content: 'hm',
      reasoning_details: [{ type: 'thinking', text: 'hm', signature: 'sig' }],
      tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 't', arguments: '{"a":1}' } }],
    },
    { role: 'tool', tool_call_id: 'toolu_1', content: 'no', is_error: true },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'and?' },
        { type: 'image_url', image_url: { url: 'https://example.org/b' } },
      ],
    },
  ]);
});

test('a request that came through the gateway’s own form asks Anthropic for the same', () => {
  const request = {
    model: 'm',
    max_tokens: 99,
    system: 's',
    messages: [
      user,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 't', input: { a: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '42' }] },
    ],
    tools: [{ name: 't', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'auto' },
    stop_sequences: ['END'],
  };
  const upstream = anthropicAdapter.chat({ request: toChat(request), forwarded: {} }, claude());
  expect(JSON.parse(upstream.body)).toEqual({ ...request, model: 'claude-sonnet-4-5' });
});

test('a long user id is shortened to what OpenAI takes, and thinking is no refusal for models that can’t reason', () => {
  expect(String(toChat({ metadata: { user_id: `user_${'x'.repeat(150)}` } }).user)).toHaveLength(64);
  expect(toChat({ model: 'openai/gpt-4o', thinking: { type: 'enabled', budget_tokens: 4_000 } })).not.toHaveProperty('reasoning_effort');
  expect(toChat({ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }).reasoning_effort).toBe('high');
});

test.each<[Record<string, unknown>, string]>([
  [{ messages: [] }, 'messages'],
  [{ messages: 'hi' }, 'messages'],
  [{ messages: [{ role: 'user' }] }, 'messages.[0].content'],
  [{ messages: [{ role: 'user', content: [{}] }] }, 'messages.[0].content.[0].type'],
  [{ system: [1] }, 'system.[0]'],
  [{ model: 3 }, 'model'],
])('%j is refused with the name of its member', (request, param) => {
  expect(() => toChat(request)).toThrow(expect.objectContaining({ details: { param } }));
});

test('an answer of OpenAI’s kind becomes a message with blocks, stop reason and usage', () => {
  const completion: ChatCompletion = {
    id: 'chatcmpl-9',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        logprobs: null,
        message: {
          role: 'assistant',
          content: 'wait',
          refusal: null,
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 't', arguments: '{"a":1}' } },
            { id: 'c2', type: 'function', function: { name: 't', arguments: '' } },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 30, completion_tokens: 5, total_tokens: 35, prompt_tokens_details: { cached_tokens: 20 } },
    brokle: { cost: 1 },
  };
  expect(chatToMessage(completion, 7)).toEqual({
    id: 'msg_9',
    type: 'message',
    role: 'assistant',
    model: 'gpt-4o',
    content: [
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'wait' },
      { type: 'tool_use', id: 'c1', name: 't', input: { a: 1 } },
      { type: 'tool_use', id: 'c2', name: 't', input: {} },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 10, cache_read_input_tokens: 20, cache_creation_input_tokens: 0, output_tokens: 5 },
    brokle: { cost: 1 },
  });
  const { usage: _none, ...without } = completion;
  expect(chatToMessage(without as ChatCompletion, 7)).toMatchObject({ usage: { input_tokens: 7, output_tokens: expect.any(Number) } });
});

test('a stream of OpenAI’s kind becomes Anthropic’s events, with usage above 0 at once and the right one at the end', () => {
  const events = eventsOf([
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'hm' }),
    chunk({ content: 'Let' }),
    chunk({ content: ' me' }),
    call(0, 'c1', 't', ''),
    call(0, undefined, undefined, '{"a"'),
    call(0, undefined, undefined, ':1}'),
    call(1, 'c2', 'u', '{}'),
    chunk({}, 'tool_calls', { brokle: { cost: 2 } }),
    usageChunk({ prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }),
  ]);
  expect(events.map(({ event, data }) => [event, data.index ?? null])).toEqual([
    ['message_start', null],
    ['content_block_start', 0],
    ['content_block_delta', 0],
    ['content_block_stop', 0],
    ['content_block_start', 1],
    ['content_block_delta', 1],
    ['content_block_delta', 1],
    ['content_block_stop', 1],
    ['content_block_start', 2],
    ['content_block_delta', 2],
    ['content_block_delta', 2],
    ['content_block_stop', 2],
    ['content_block_start', 3],
    ['content_block_delta', 3],
    ['content_block_stop', 3],
    ['message_delta', null],
    ['message_stop', null],
  ]);
  expect(events[0]?.data).toMatchObject({ message: { id: 'msg_1', model: 'gpt-4o', content: [], usage: { input_tokens: 7 } } });
  expect(events[8]?.data).toMatchObject({ content_block: { type: 'tool_use', id: 'c1', name: 't', input: {} } });
  expect(events.at(-2)?.data).toMatchObject({
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { input_tokens: 9, output_tokens: 12 },
    brokle: { cost: 2 },
  });
});

test.each(answerNames)('the stream %s of an Anthropic upstream goes out as it came, with `brokle` on message_delta', (name) => {
  const rules = new ChunkRules({ head: { id: 'chatcmpl-ours', created: 1, model: 'ours' }, includeUsage: true });
  const chunks = [...decodeStream([answerSse(name)]).flatMap((part) => rules.push(part)), ...rules.close({ cost: 3 }, WIRE_USAGE)];
  const events = eventsOf(chunks.map((one) => one.chunk));
  const sent = createSseParser()
    .push(answerSse(name))
    .filter(({ event }) => event !== 'ping')
    .map(({ event, data }) => ({ event, data: JSON.parse(data) }));
  const ours = events.map(({ event, data: { brokle: _brokle, ...data } }) => ({ event, data }));
  expect(ours).toEqual(sent);
  expect(events.at(-2)?.data.brokle).toEqual({ cost: 3 });
});

test('an answer that another provider goes on with has one beginning, one block of text and one end', () => {
  const begun = decodeStream([answerSse('cut')]).flatMap((part) => (part.kind === 'chunk' ? [part.chunk] : []));
  const more = decodeStream([answerSse('max-tokens')]).flatMap((part) => (part.kind === 'chunk' ? [part.chunk] : []));
  for (const rest of [more, [chunk({ content: ' answer' }), chunk({}, 'stop')]]) {
    const events = eventsOf([...begun, ...rest]);
    expect(events.filter(({ event }) => event !== 'content_block_delta').map(({ event }) => event)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events.every(({ data }) => data.index === undefined || data.index === 0)).toBe(true);
  }
});

test.each(answerNames)('the answer %s of an Anthropic upstream goes out as it came', (name) => {
  const { completion } = anthropicAdapter.completion(answerJson(name), claude());
  expect(chatToMessage(Object.assign(completion, { brokle: { cost: 3 } }), 7)).toEqual({ ...answerJson(name), brokle: { cost: 3 } });
});

test('a keep-alive is a ping, and a failure is the event `error` with nothing after it', () => {
  const write = messagesStream(7);
  expect(write({ kind: 'keep-alive' })).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  const failure = write({ kind: 'failure', error: new AppError('unavailable', 'No provider can answer.') });
  expect(failure).toBe('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"No provider can answer."}}\n\n');
});

test('parallel calls that come in turns are written one block after the other', () => {
  const events = eventsOf([
    call(0, 'c1', 't', ''),
    call(1, 'c2', 'u', ''),
    call(0, undefined, undefined, '{"a":'),
    call(1, undefined, undefined, '{"b":'),
    call(0, undefined, undefined, '1}'),
    call(1, undefined, undefined, '2}'),
    chunk({}, 'tool_calls'),
  ]);
  const blocks = events.filter(({ event }) => event.startsWith('content_block')).map(({ event, data }) => [event.slice(14), data.index]);
  expect(blocks).toEqual([
    ['start', 0],
    ['delta', 0],
    ['delta', 0],
    ['stop', 0],
    ['start', 1],
    ['delta', 1],
    ['stop', 1],
  ]);
  expect(events.flatMap(({ data }) => Object(data.delta).partial_json ?? [])).toEqual(['{"a":', '1}', '{"b":2}']);
});
