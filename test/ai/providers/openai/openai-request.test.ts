import { expect, test } from '@jest/globals';
import type { ChatCall, Target } from '../../../../lib/ai/providers/adapter.ts';
import { adapterFor } from '../../../../lib/ai/providers/adapters.ts';
import { OPENAI_PRESETS, presetFor } from '../../../../lib/ai/providers/openai/openai-presets.ts';

const OPENAI = 'https://api.openai.com/v1';
const LOCAL = 'http://vllm.local:8000/v1';
const targetAt = (base_url: string, changes: Partial<Target> = {}): Target => ({
  provider_id: 'p',
  type: 'openai-compatible',
  base_url,
  api_key: 'sk-secret',
  model: 'up',
  ...changes,
});
const callOf = (text: string): ChatCall => ({ request: JSON.parse(text), text, forwarded: {} });
const chat = (text: string, target: Target) => adapterFor(target.type).chat(callOf(text), target);
const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';

test('a request that needs no change is sent in the caller’s own characters', () => {
  const text = ` { "model":"up" ,${MESSAGES}, "seed": 9007199254740993, "x":1.0 }`;
  const sent = chat(text, targetAt(OPENAI, { type: 'openai' }));
  expect(sent).toEqual({
    method: 'POST',
    url: 'https://api.openai.com/v1/chat/completions',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-secret' },
    body: text,
    warnings: [],
    injected: [],
  });
});

test('the model is rewritten and our options are cut out, and all else keeps its characters', () => {
  const text = `{"model":"openai/gpt-4o","brokle":{"tags":["a"]},${MESSAGES},"seed":9007199254740993,"metadata":{"brokle":"1.0"}}`;
  expect(chat(text, targetAt(OPENAI)).body).toBe(`{"model":"up",${MESSAGES},"seed":9007199254740993,"metadata":{"brokle":"1.0"}}`);
});

test.each<[what: string, sent: string, target: Partial<Target>, stream_options: unknown, injected: string[]]>([
  ['a stream', '"stream":true', {}, { include_usage: true }, ['stream_options']],
  ['a stream with null options', '"stream":true,"stream_options":null', {}, { include_usage: true }, ['stream_options']],
  [
    'a stream with other options',
    '"stream":true,"stream_options":{"include_obfuscation":false}',
    {},
    { include_obfuscation: false, include_usage: true },
    [],
  ],
  ['a stream that asks itself', '"stream":true,"stream_options":{"include_usage":true}', {}, { include_usage: true }, []],
  ['no stream', '"stream":false', {}, undefined, []],
  ['no stream with options', '"stream":false,"stream_options":{}', {}, {}, []],
  ['a stream of a provider that refused', '"stream":true', { without_stream_usage: true }, undefined, []],
  ['a stream of a provider that reports always', '"stream":true', { base_url: 'https://api.mistral.ai/v1' }, undefined, []],
])('for %s, usage is asked for only where it can be', (_what, sent, target, stream_options, injected) => {
  const request = chat(`{"model":"up",${MESSAGES},${sent}}`, targetAt(LOCAL, target));
  expect(JSON.parse(request.body).stream_options).toEqual(stream_options);
  expect(request.injected).toEqual(injected);
});

test.each<[type: Target['type'], base: string, url: string, header: string]>([
  ['openai', OPENAI, `${OPENAI}/chat/completions`, 'authorization'],
  ['openai-compatible', 'https://x.test/v1/', 'https://x.test/v1/chat/completions', 'authorization'],
  ['openai-compatible', 'https://x.test/v1?tenant=1', 'https://x.test/v1/chat/completions?tenant=1', 'authorization'],
  ['azure', 'https://r.openai.azure.com', 'https://r.openai.azure.com/openai/v1/chat/completions', 'api-key'],
  ['azure', 'https://r.openai.azure.com/openai/v1/', 'https://r.openai.azure.com/openai/v1/chat/completions', 'api-key'],
  [
    'azure',
    'https://r.openai.azure.com/openai/v1?api-version=preview',
    'https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview',
    'api-key',
  ],
  [
    'azure',
    'https://r.openai.azure.com?api-version=2024-10-21',
    'https://r.openai.azure.com/openai/deployments/up/chat/completions?api-version=2024-10-21',
    'api-key',
  ],
])('%s at %s is asked at %s with its key in %s', (type, base, url, header) => {
  const request = chat(`{"model":"up",${MESSAGES}}`, targetAt(base, { type }));
  expect(request.url).toBe(url);
  expect(request.headers[header]).toMatch(/^(Bearer )?sk-secret$/);
  expect(Object.keys(request.headers)).toHaveLength(2);
});

test('a provider without key gets no header for one', () => {
  expect(chat(`{"model":"up",${MESSAGES}}`, targetAt(LOCAL, { api_key: '' })).headers).toEqual({ 'content-type': 'application/json' });
});

test.each<[what: string, base: string, type: Target['type'], model: string, sent: string, limits: Record<string, unknown>]>([
  ['OpenAI takes both names', OPENAI, 'openai', 'gpt-4o', '"max_tokens":5', { max_tokens: 5 }],
  ['OpenAI’s models that reason take the newer', OPENAI, 'openai', 'o3-mini', '"max_tokens":5', { max_completion_tokens: 5 }],
  ['DeepSeek takes the older', 'https://api.deepseek.com/v1', 'openai-compatible', 'd', '"max_completion_tokens":5', { max_tokens: 5 }],
  [
    'both stay if both are there',
    'https://api.deepseek.com/v1',
    'openai-compatible',
    'd',
    '"max_completion_tokens":5,"max_tokens":6',
    { max_completion_tokens: 5, max_tokens: 6 },
  ],
  [
    'zero is the provider’s business',
    OPENAI,
    'openai',
    'gpt-4o',
    '"max_tokens":0,"max_completion_tokens":0',
    { max_tokens: 0, max_completion_tokens: 0 },
  ],
])('limits of the answer: %s', (_what, base, type, model, sent, limits) => {
  const body = JSON.parse(chat(`{"model":"m",${MESSAGES},${sent}}`, targetAt(base, { type, model })).body);
  expect({ max_tokens: body.max_tokens, max_completion_tokens: body.max_completion_tokens }).toEqual({
    max_tokens: undefined,
    max_completion_tokens: undefined,
    ...limits,
  });
});

test.each([
  ['openai', undefined, 4096],
  ['openai', 1_000, 1_000],
  ['anthropic', undefined, 4096],
  ['anthropic', 1_000, 1_000],
  ['google', undefined, 4096],
  ['google', 1_000, 1_000],
] as const)(
  '%s with a model that gives at most %s tokens is told what was reserved for, if the caller has no limit',
  (type, most, told) => {
    const call = { ...callOf(`{"model":"up",${MESSAGES}}`), default_output_tokens: 4096 };
    const { body } = adapterFor(type).chat(call, { ...targetAt('https://api.example', { type }), max_output_tokens: most });
    const { max_completion_tokens, max_tokens, generationConfig } = JSON.parse(body);
    expect(max_completion_tokens ?? max_tokens ?? generationConfig.maxOutputTokens).toBe(told);
  },
);

test('the limit that was reserved for is sent if the caller has none', () => {
  const call = { ...callOf(`{"model":"up",${MESSAGES}}`), default_output_tokens: 4096 };
  expect(JSON.parse(adapterFor('openai').chat(call, targetAt(OPENAI, { type: 'openai' })).body).max_completion_tokens).toBe(4096);
  const limited = { ...callOf(`{"model":"up",${MESSAGES},"max_tokens":7}`), default_output_tokens: 4096 };
  expect(JSON.parse(adapterFor('openai').chat(limited, targetAt(OPENAI, { type: 'openai' })).body)).not.toHaveProperty(
    'max_completion_tokens',
  );
});

test('developer becomes system where that role is not known, and stays at OpenAI', () => {
  const text = '{"model":"up","messages":[{"role":"developer","content":"be brief"},{"role":"user","content":" "}]}';
  const roles = (target: Target) => JSON.parse(chat(text, target).body).messages;
  expect(roles(targetAt('https://api.groq.com/openai/v1'))).toEqual([
    { role: 'system', content: 'be brief' },
    { role: 'user', content: ' ' },
  ]);
  expect(chat(text, targetAt(OPENAI, { type: 'openai' })).body).toBe(text);
});

test('several system messages become one for servers whose templates take one, and stay elsewhere', () => {
  const text = JSON.stringify({
    model: 'up',
    messages: [
      { role: 'system', content: 'a' },
      { role: 'user', content: 'b' },
      { role: 'developer', content: [{ type: 'text', text: 'c' }] },
      { role: 'system', content: ' ' },
    ],
  });
  expect(JSON.parse(chat(text, targetAt(LOCAL)).body).messages).toEqual([
    { role: 'system', content: 'a\n\nc' },
    { role: 'user', content: 'b' },
  ]);
  expect(chat(text, targetAt(OPENAI, { type: 'openai' })).body).toBe(text);
  const one = '{"model":"up","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}';
  expect(chat(one, targetAt(LOCAL)).body).toBe(one);
});

test('the header for OpenAI’s previews goes to OpenAI’s own servers only', () => {
  const call = { ...callOf(`{"model":"up",${MESSAGES}}`), forwarded: { 'openai-beta': 'x=v1', 'anthropic-beta': 'y' } };
  expect(adapterFor('openai').chat(call, targetAt(OPENAI, { type: 'openai' })).headers['openai-beta']).toBe('x=v1');
  expect(adapterFor('openai').chat(call, targetAt(LOCAL)).headers).not.toHaveProperty('openai-beta');
});

test('reasoning of earlier turns goes only to servers that take it', () => {
  const text = JSON.stringify({
    model: 'up',
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 'sig' }],
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, thought_signature: 's' }],
      },
    ],
  });
  expect(JSON.parse(chat(text, targetAt(OPENAI, { type: 'openai' })).body).messages[1]).toEqual({
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
  });
  expect(chat(text, targetAt('https://api.deepseek.com/v1')).body).toBe(text);
});

test('a request that the gateway made itself is written without our options', () => {
  const request = { model: 'm', messages: [{ role: 'user', content: 'hi' }], brokle: { tags: [] }, temperature: undefined };
  const { body } = adapterFor('openai').chat({ request, forwarded: {} }, targetAt(OPENAI, { type: 'openai' }));
  expect(JSON.parse(body)).toEqual({ messages: [{ role: 'user', content: 'hi' }], model: 'up' });
});

test('embeddings keep the caller’s encoding, but where a server knows only numbers', () => {
  const text = '{"model":"up","input":["a"],"encoding_format":"base64","dimensions":3}';
  const sent = (target: Target) => adapterFor(target.type).embeddings?.({ request: JSON.parse(text), text }, target);
  expect(sent(targetAt(OPENAI, { type: 'openai' }))).toMatchObject({ url: `${OPENAI}/embeddings`, body: text });
  expect(sent(targetAt('https://api.mistral.ai/v1'))?.body).toBe('{"model":"up","input":["a"],"dimensions":3}');
});

test('a provider is known by its address, and by no look-alike', () => {
  expect(
    OPENAI_PRESETS.filter(({ base_url }) => base_url?.startsWith('https')).map(
      ({ base_url }) => presetFor(base_url ?? '', 'openai-compatible').name,
    ),
  ).toEqual(['openai', 'groq', 'together', 'deepseek', 'openrouter', 'mistral', 'xai']);
  expect(presetFor('https://api.groq.com.evil.test/v1', 'openai-compatible').name).toBe('openai-compatible');
  expect(presetFor('https://maxx.ai/v1', 'openai-compatible').name).toBe('openai-compatible');
  expect(presetFor('no address', 'openai-compatible').name).toBe('openai-compatible');
});
