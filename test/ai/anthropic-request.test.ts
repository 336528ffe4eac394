import { expect, test } from '@jest/globals';
import type { Target } from '../../lib/ai/providers/adapter.ts';
import { anthropicAdapter } from '../../lib/ai/providers/anthropic/anthropic-adapter.ts';
import type { ChatMessage, ChatRequest } from '../../lib/ai/wire/chat.ts';
import { claude } from './anthropic-fixtures.ts';

const user: ChatMessage = { role: 'user', content: 'hi' };
const asked = (request: Partial<ChatRequest>, target: Target = claude()) =>
  anthropicAdapter.chat({ request: { model: 'm', messages: [user], ...request }, forwarded: {} }, target);
const bodyOf = (request: Partial<ChatRequest>, target?: Target) => JSON.parse(asked(request, target).body);
const messagesOf = (messages: ChatMessage[]) => bodyOf({ messages }).messages;
const refusalOf = (request: Partial<ChatRequest>, target?: Target): { details?: { param?: string } } => {
  try {
    asked(request, target);
  } catch (error) {
    return error as { details?: { param?: string } };
  }
  throw new Error('the request was accepted');
};
const call = (id: string, text = '{}', name = 'weather') => ({ id, type: 'function' as const, function: { name, arguments: text } });
const assistant = (...calls: ReturnType<typeof call>[]): ChatMessage => ({ role: 'assistant', content: null, tool_calls: calls });
const result = (id: string, content: ChatMessage['content'] = '42'): ChatMessage => ({ role: 'tool', tool_call_id: id, content });

test('the request has Anthropic’s address, version, key and default limit', () => {
  const { url, headers, body, warnings } = asked({});
  expect(url).toBe('https://api.anthropic.com/v1/messages');
  expect(headers).toEqual({ 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-test' });
  expect(JSON.parse(body)).toEqual({ model: 'claude-sonnet-4-5', max_tokens: 4096, messages: [{ role: 'user', content: 'hi' }] });
  expect(warnings).toEqual([]);
});

test.each(['https://api.anthropic.com', 'https://api.anthropic.com/', 'https://api.anthropic.com/v1/'])(
  'the base URL %s is understood',
  (base_url) => {
    expect(asked({}, claude('claude-sonnet-4-5', { base_url })).url).toBe('https://api.anthropic.com/v1/messages');
  },
);

test('the limit is the request’s, else the model’s', () => {
  expect(bodyOf({ max_tokens: 5 }).max_tokens).toBe(5);
  expect(bodyOf({ max_tokens: 5, max_completion_tokens: 7 }).max_tokens).toBe(7);
  expect(bodyOf({}, claude('claude-opus-4-1', { max_output_tokens: 32_000 })).max_tokens).toBe(32_000);
});

test('system and developer messages become one system text, wherever they stand', () => {
  const body = bodyOf({
    messages: [{ role: 'system', content: 'a' }, user, { role: 'developer', content: [{ type: 'text', text: 'b' }] }],
  });
  expect(body.system).toBe('a\n\nb');
  expect(body.messages).toEqual([{ role: 'user', content: 'hi' }]);
});

test('marks for the cache are kept on system texts, parts, messages and tools', () => {
  const cache_control = { type: 'ephemeral', ttl: '1h' };
  const body = bodyOf({
    messages: [
      { role: 'system', content: [{ type: 'text', text: 's', cache_control }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a', cache_control },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'assistant', content: 'c', cache_control },
      user,
    ],
    tools: [{ type: 'function', function: { name: 't' }, cache_control }],
  });
  expect(body.system).toEqual([{ type: 'text', text: 's', cache_control }]);
  expect(body.messages[0].content[0]).toEqual({ type: 'text', text: 'a', cache_control });
  expect(body.messages[1].content).toEqual([{ type: 'text', text: 'c', cache_control }]);
  expect(body.tools[0].cache_control).toEqual(cache_control);
});

test('images and files become blocks', () => {
  const [turn] = messagesOf([
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,AAAA' } },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
        { type: 'file', file: { file_data: `data:text/plain;base64,${Buffer.from('héllo').toString('base64')}` } },
        { type: 'file', file: { file_id: 'file_1' } },
      ],
    },
  ]);
  expect(turn.content).toEqual([
    { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' } },
    { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'héllo' } },
    { type: 'document', source: { type: 'file', file_id: 'file_1' } },
  ]);
});

test('results of tools come first in the user’s turn, in the order of their calls, merged with what the user says', () => {
  expect(
    messagesOf([
      user,
      assistant(call('c1', '{"city":"Oslo"}'), call('c2')),
      result('c2', 'two'),
      { role: 'user', content: 'and?' },
      result('c1', 'one'),
    ]),
  ).toEqual([
    { role: 'user', content: 'hi' },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Oslo' } },
        { type: 'tool_use', id: 'c2', name: 'weather', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'c1', content: 'one' },
        { type: 'tool_result', tool_use_id: 'c2', content: 'two' },
        { type: 'text', text: 'and?' },
      ],
    },
  ]);
});

test('an id that Anthropic refuses is the same digest at both ends and in every turn', () => {
  const odd = 'functions.weather:0';
  const turns = messagesOf([user, assistant(call(odd)), result(odd)]);
  const id = turns[1].content[0].id;
  expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
  expect(turns[2].content[0].tool_use_id).toBe(id);
  expect(messagesOf([user, assistant(call(odd)), result(odd), user])[1].content[0].id).toBe(id);
});

test('numbers in the arguments of a call keep their digits', () => {
  expect(asked({ messages: [user, assistant(call('c1', '{"id":12345678901234567890,"share":1.0}')), result('c1')] }).body).toContain(
    '"input":{"id":12345678901234567890,"share":1.0}',
  );
});

test.each(['{"a":1}{"b":2}', '[1]', '1.0', '"text"', '{'])('the arguments %s are refused with the name of their member', (text) => {
  const messages = [user, { role: 'assistant', content: 'x' }, assistant(call('c0'), call('c1', text)), result('c0'), result('c1')];
  expect(refusalOf({ messages }).details?.param).toBe('messages.[2].tool_calls.[1].function.arguments');
});

test.each<[string, ChatMessage[], string]>([
  ['a call without a result', [user, assistant(call('c1')), user], 'messages.[1].tool_calls.[0].id'],
  ['a result without a call', [user, result('c9')], 'messages.[1].tool_call_id'],
  [
    'only blank messages',
    [
      { role: 'user', content: ' ' },
      { role: 'user', content: [{ type: 'text', text: '\n' }] },
    ],
    'messages.[1].content',
  ],
  ['audio', [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }], 'messages.[0].content.[0]'],
  [
    'an image that is no address',
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'a.png' } }] }],
    'messages.[0].content.[0].image_url.url',
  ],
])('%s is refused with the name of its member', (_, messages, param) => {
  expect(refusalOf({ messages })).toMatchObject({ kind: 'bad_request', details: { param } });
});

test('no empty or blank text goes out, and an empty tool result stays', () => {
  const body = bodyOf({
    messages: [
      { role: 'system', content: '' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '', tool_calls: [call('t1')] },
      result('t1', ''),
      { role: 'developer', content: [{ type: 'text', text: ' ' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: '' },
          { type: 'text', text: 'b' },
        ],
      },
    ],
    stop: ['\n', 'END'],
  });
  expect(body).not.toHaveProperty('system');
  expect(body.stop_sequences).toEqual(['END']);
  expect(body.messages).toEqual([
    { role: 'user', content: 'a' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: {} }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 't1', content: '' },
        { type: 'text', text: 'b' },
      ],
    },
  ]);
});

test.each([['\n'], [[]], [null], [[' ', '\t']]])('stop %j sends no stop sequences', (stop) => {
  expect(bodyOf({ stop })).not.toHaveProperty('stop_sequences');
});

test('turns alternate, begin with the user’s, and end without white space', () => {
  const { body, warnings } = asked({
    messages: [
      { role: 'assistant', content: 'hello' },
      user,
      { role: 'user', content: 'there' },
      { role: 'assistant', content: 'The capital is ' },
    ],
  });
  expect(JSON.parse(body).messages).toEqual([
    { role: 'user', content: '.' },
    { role: 'assistant', content: 'hello' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'hi' },
        { type: 'text', text: 'there' },
      ],
    },
    { role: 'assistant', content: 'The capital is' },
  ]);
  expect(warnings).toHaveLength(1);
});

test.each([
  ['auto', { type: 'auto' }],
  ['none', { type: 'none' }],
  ['required', { type: 'any' }],
  [
    { type: 'function', function: { name: 'weather' } },
    { type: 'tool', name: 'weather' },
  ],
])('tool_choice %j becomes %j', (tool_choice, expected) => {
  expect(bodyOf({ tools: [{ type: 'function', function: { name: 'weather' } }], tool_choice }).tool_choice).toEqual(expected);
});

test('parallel_tool_calls:false disables parallel calls', () => {
  const body = bodyOf({ tools: [{ type: 'function', function: { name: 'weather' } }], parallel_tool_calls: false });
  expect(body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
  expect(body.tools).toEqual([{ name: 'weather', input_schema: { type: 'object', properties: {} } }]);
});

const answerSchema = {
  type: 'object',
  properties: {
    score: { type: 'integer', minimum: 1, maximum: 10 },
    tags: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
    k: { oneOf: [{ type: 'string' }, { type: 'null' }] },
  },
  required: ['score'],
};
const taken = {
  type: 'object',
  properties: {
    score: { type: 'integer', description: '(minimum: 1; maximum: 10)' },
    tags: { type: 'array', items: { type: 'string', description: '(minLength: 1)' }, description: '(maxItems: 3)' },
    k: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
  required: ['score'],
  additionalProperties: false,
};

test('a schema for the answer goes out without the keywords that Claude refuses, which stay as words', () => {
  const before = JSON.stringify(answerSchema);
  const response_format = { type: 'json_schema', json_schema: { name: 'r', schema: answerSchema } };
  expect(bodyOf({ response_format }).output_config).toEqual({ format: { type: 'json_schema', schema: taken } });
  expect(JSON.stringify(answerSchema)).toBe(before);
});

test('the schema of a tool is untouched unless the tool is strict', () => {
  const tool = (strict: boolean) => ({ type: 'function', function: { name: 't', parameters: answerSchema, strict } });
  const { tools } = bodyOf({ tools: [tool(false), tool(true)] });
  expect(tools[0]).toEqual({ name: 't', input_schema: answerSchema });
  expect(tools[1]).toEqual({ name: 't', input_schema: taken, strict: true });
});

test('references in a schema go as they are, and those that lead back to themselves are replaced', () => {
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } } };
  const schema = (def: object) => ({
    type: 'json_schema',
    json_schema: { name: 'r', schema: { type: 'object', properties: { a: { $ref: '#/$defs/node' } }, $defs: { node: def } } },
  });
  expect(bodyOf({ response_format: schema({ type: 'string' }) }).output_config.format.schema).toMatchObject({
    properties: { a: { $ref: '#/$defs/node' } },
    $defs: { node: { type: 'string' } },
  });
  expect(JSON.stringify(bodyOf({ response_format: schema(node) }))).not.toContain('$ref');
});

test('a model without structured output answers by a tool that the client never sees', () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'r', schema: answerSchema } };
  const old = claude('claude-3-5-sonnet-20241022');
  const body = bodyOf({ response_format }, old);
  const [{ name }] = body.tools;
  expect(body.tool_choice).toEqual({ type: 'tool', name });
  const block = { type: 'tool_use', id: 'toolu_1', name, input: { score: 3 } };
  const { completion } = anthropicAdapter.completion({ id: 'm', content: [block], stop_reason: 'tool_use', usage: {} }, old);
  expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '{"score":3}' } });
  expect(completion.choices[0]?.message).not.toHaveProperty('tool_calls');
});

test.each<[Partial<ChatRequest>, string, object, number]>([
  [{ temperature: 1.7 }, 'claude-sonnet-4-5', { temperature: 1 }, 1],
  [{ temperature: 0.2, top_p: 0.5 }, 'claude-sonnet-4-5', { temperature: 0.2 }, 1],
  [{ temperature: 0.2, top_p: 0.5 }, 'claude-3-haiku-20240307', { temperature: 0.2, top_p: 0.5 }, 0],
  [{ temperature: 0.2, top_p: 0.5 }, 'claude-opus-4-7', {}, 1],
  [{ temperature: 1 }, 'claude-opus-4-7', {}, 0],
  [{ top_p: 0.5 }, 'claude-haiku-4-5', { top_p: 0.5 }, 0],
])('%j for %s sends %j', (request, model, expected, warnings) => {
  const upstream = asked(request, claude(model));
  const { temperature, top_p } = JSON.parse(upstream.body);
  expect(JSON.parse(JSON.stringify({ temperature, top_p }))).toEqual(expected);
  expect(upstream.warnings).toHaveLength(warnings);
});

test('an e-mail address never becomes metadata.user_id', () => {
  expect(bodyOf({ user: 'u-17' }).metadata).toEqual({ user_id: 'u-17' });
  expect(bodyOf({ user: 'ann@example.org' })).not.toHaveProperty('metadata');
});

test.each([
  ['auto', 'auto'],
  ['default', 'standard_only'],
  ['priority', 'auto'],
  ['flex', undefined],
])('service_tier %s becomes %s', (service_tier, expected) => {
  expect(bodyOf({ service_tier }).service_tier).toBe(expected);
});

test('a request in Anthropic’s own form goes as it is, but for the model, with the caller’s version and beta headers', () => {
  const text =
    '{"model": "anthropic/claude", "max_tokens":1.0,\n "system":[{"type":"text","text":"","cache_control":{"type":"ephemeral"}}], "brokle":{}}';
  const forwarded = { 'anthropic-beta': 'context-1m-2025-08-07,x', 'anthropic-version': '2026-10-21' };
  const upstream = anthropicAdapter.chat(
    { request: { model: 'm', messages: [] }, forwarded, native: { dialect: 'anthropic', text } },
    claude(),
  );
  expect(upstream.body).toBe(text.replace('anthropic/claude', 'claude-sonnet-4-5').replace(', "brokle":{}', ''));
  expect(upstream.headers).toMatchObject(forwarded);
});

test('the limit that was reserved for is sent if the request has none', () => {
  const upstream = anthropicAdapter.chat({ request: { model: 'm', messages: [user] }, forwarded: {}, default_output_tokens: 99 }, claude());
  expect(JSON.parse(upstream.body).max_tokens).toBe(99);
});

test('functions, which OpenAI had before tools, are sent as tools', () => {
  const functions = [{ name: 'weather', parameters: { type: 'object', properties: {} } }];
  const { body, warnings } = asked({
    functions,
    function_call: { name: 'weather' },
    messages: [
      user,
      { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{"a":1}' } },
      { role: 'function', name: 'weather', content: '42' },
    ],
  });
  expect(JSON.parse(body)).toMatchObject({
    tools: [{ name: 'weather', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'tool', name: 'weather' },
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { a: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: '42' }] },
    ],
  });
  expect(warnings).toHaveLength(1);
});
