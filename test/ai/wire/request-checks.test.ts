import { expect, test } from '@jest/globals';
import { brokleOptions } from '../../../lib/ai/wire/brokle-options.ts';
import { checkChatRequest } from '../../../lib/ai/wire/chat-request.ts';
import { checkCompletionsRequest } from '../../../lib/ai/wire/completions-request.ts';
import { checkEmbeddingsRequest } from '../../../lib/ai/wire/embeddings-request.ts';
import { isAppError } from '../../../lib/platform/errors.ts';

/** The parameter that the refusal names, or undefined if nothing is refused. */
function refusedParam(check: () => unknown): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isAppError(error) || error.kind !== 'bad_request') throw error;
    return error.details?.param;
  }
}
const user = { role: 'user', content: 'hi' };
const chat = (members: Record<string, unknown>) => ({ model: 'm', messages: [user], ...members });

test.each<[what: string, body: unknown, param: string]>([
  ['no object', 'text', 'body'],
  ['an array', [], 'body'],
  ['no model', { messages: [user] }, 'model'],
  ['an empty model', chat({ model: '' }), 'model'],
  ['a model that is a number', chat({ model: 4 }), 'model'],
  ['no messages', { model: 'm' }, 'messages'],
  ['empty messages', chat({ messages: [] }), 'messages'],
  ['messages that are a text', chat({ messages: 'hi' }), 'messages'],
  ['a message that is a text', chat({ messages: [user, 'hi'] }), 'messages.[1]'],
  ['a message that is null', chat({ messages: [null] }), 'messages.[0]'],
  ['a message without role', chat({ messages: [{ content: 'hi' }] }), 'messages.[0].role'],
  ['content that is a number', chat({ messages: [{ role: 'user', content: 4 }] }), 'messages.[0].content'],
  ['a part that is a text', chat({ messages: [{ role: 'user', content: ['hi'] }] }), 'messages.[0].content.[0]'],
  ['a part without type', chat({ messages: [{ role: 'user', content: [{ text: 'hi' }] }] }), 'messages.[0].content.[0].type'],
  ['tool calls that are no array', chat({ messages: [{ role: 'assistant', tool_calls: {} }] }), 'messages.[0].tool_calls'],
  [
    'a tool call without name',
    chat({ messages: [user, { role: 'assistant', tool_calls: [{ id: 'a', function: {} }] }] }),
    'messages.[1].tool_calls.[0].function.name',
  ],
  [
    'arguments that are an object',
    chat({ messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] }] }),
    'messages.[0].tool_calls.[0].function.arguments',
  ],
  ['stream that is a text', chat({ stream: 'true' }), 'stream'],
  ['stream options that are a text', chat({ stream_options: 'usage' }), 'stream_options'],
  ['tools that are an object', chat({ tools: {} }), 'tools'],
  ['a function without name', chat({ tools: [{ type: 'function', function: {} }] }), 'tools.[0].function.name'],
  ['a number of choices that is a text', chat({ n: '3' }), 'n'],
  ['a limit that is a text', chat({ max_tokens: '1000' }), 'max_tokens'],
  ['more choices than anybody gives', chat({ n: 129 }), 'n'],
  ['a number of choices beyond all numbers', chat(JSON.parse('{"n":1e999}')), 'n'],
  ['a number of choices with a fraction', chat({ n: 1.5 }), 'n'],
  ['a limit beyond all numbers', chat(JSON.parse('{"max_tokens":1e308}')), 'max_tokens'],
  ['a limit below nothing', chat({ max_tokens: -1 }), 'max_tokens'],
  ['a limit with a fraction', chat({ max_completion_tokens: 10.5 }), 'max_completion_tokens'],
])('a chat request with %s is refused, and the refusal names the member', (_what, body, param) => {
  expect(refusedParam(() => checkChatRequest(body))).toBe(param);
});

test.each<[what: string, body: Record<string, unknown>]>([
  ['max_tokens: 0', { max_tokens: 0 }],
  ['max_completion_tokens: 0', { max_completion_tokens: 0 }],
  ['n: 0', { n: 0 }],
  ['stream: false with stream_options', { stream: false, stream_options: { include_usage: true } }],
  ['stream: null', { stream: null }],
  ['functions beside tools', { functions: [{ name: 'f' }], tools: [{ type: 'function', function: { name: 'f' } }] }],
  [
    'a custom tool and its call',
    {
      tools: [{ type: 'custom', custom: { name: 'c' } }],
      messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'custom', custom: {} }] }],
    },
  ],
  ['roles nobody knows', { messages: [{ role: 'critic', content: 'no' }] }],
  ['content: null', { messages: [{ role: 'assistant', content: null }] }],
  ['members nobody knows', { num_ctx: 4096, constructor: { a: 1 } }],
  ['a wild temperature', { temperature: 'hot' }],
])('a chat request with %s is the provider’s business', (_what, members) => {
  const body = chat(members);
  expect(checkChatRequest(body)).toBe(body);
});

test('a member called __proto__ is data and changes no object of ours', () => {
  const body = JSON.parse('{"model":"m","messages":[{"role":"user","content":"hi"}],"__proto__":{"stream":true}}');
  expect(checkChatRequest(body).stream).toBeUndefined();
});

test.each<[what: string, input: unknown, param: string | undefined]>([
  ['a text', 'a', undefined],
  ['texts', ['a', 'b'], undefined],
  ['tokens', [1, 2, 3], undefined],
  ['lists of tokens', [[1, 2], [3]], undefined],
  ['more than 2048 tokens', Array.from({ length: 5_000 }, () => 1), undefined],
  ['2048 texts', Array.from({ length: 2_048 }, () => 'a'), undefined],
  ['2049 texts', Array.from({ length: 2_049 }, () => 'a'), 'input'],
  ['an empty text', '', 'input'],
  ['an empty text among others', ['a', ''], 'input.[1]'],
  ['an empty array', [], 'input'],
  ['an empty list of tokens', [[1], []], 'input.[1]'],
  ['texts and tokens', ['a', [1]], 'input.[1]'],
  ['tokens and texts', [[1], 'a'], 'input.[1]'],
  ['fractions', [1.5], 'input.[0]'],
  ['nothing', undefined, 'input'],
  ['null', null, 'input'],
  ['an object', {}, 'input'],
])('embeddings of %s are taken or refused by name', (_what, input, param) => {
  expect(refusedParam(() => checkEmbeddingsRequest({ model: 'm', input }))).toBe(param);
});

test('embeddings take both encodings and no other', () => {
  const refused = (encoding_format: unknown) => refusedParam(() => checkEmbeddingsRequest({ model: 'm', input: 'a', encoding_format }));
  expect([undefined, null, 'float', 'base64'].map(refused)).toEqual([undefined, undefined, undefined, undefined]);
  expect(refused('int8')).toBe('encoding_format');
});

test.each<[what: string, prompt: unknown, param: string | undefined]>([
  ['a text', 'a', undefined],
  ['an empty text', '', undefined],
  ['texts', ['a', ''], undefined],
  ['tokens', [1], undefined],
  ['lists of tokens', [[1], [2]], undefined],
  ['nothing', undefined, 'prompt'],
  ['no prompts', [], 'prompt'],
  ['a number among texts', ['a', 1], 'prompt.[1]'],
])('completions of %s are taken or refused by name', (_what, prompt, param) => {
  expect(refusedParam(() => checkCompletionsRequest({ model: 'm', prompt }))).toBe(param);
});

test('options of the body and of headers are one set, and the body wins', () => {
  const body = { routing_strategy: 'cost_optimized', tags: ['a'], max_cost_usd: null, fallbacks: ['openai/gpt-4o'] };
  const headers = {
    'x-brokle-routing-strategy': 'latency',
    'x-brokle-max-cost-usd': '0.5',
    'x-brokle-user-id': 'u1',
    'x-brokle-cache-strategy': 'exact',
    'content-type': 'application/json',
  };
  expect(brokleOptions(body, headers)).toEqual({
    routing_strategy: 'cost',
    tags: ['a'],
    max_cost_usd: 0.5,
    fallbacks: ['openai/gpt-4o'],
    user_id: 'u1',
    cache_strategy: 'exact',
  });
  expect(brokleOptions(undefined, { 'x-brokle-tags': 'a, b,,c' })).toEqual({ tags: ['a', 'b', 'c'] });
  expect(brokleOptions(undefined, {})).toEqual({});
});

test.each<[what: string, body: unknown, headers: Record<string, string>, param: string]>([
  ['an unknown option', { max_costs: 1 }, {}, 'brokle.max_costs'],
  ['an unknown strategy', { routing_strategy: 'best' }, {}, 'brokle.routing_strategy'],
  ['a threshold above one', { cache_similarity_threshold: 1.1 }, {}, 'brokle.cache_similarity_threshold'],
  ['a negative limit', { max_cost_usd: -1 }, {}, 'brokle.max_cost_usd'],
  ['a tag that is a number', { tags: ['a', 1] }, {}, 'brokle.tags.[1]'],
  ['too many fallbacks', { fallbacks: Array.from({ length: 9 }, () => 'a/b') }, {}, 'brokle.fallbacks'],
  ['a text instead of options', 'cost', {}, 'brokle'],
  ['an unknown header', undefined, { 'x-brokle-max-costs': '1' }, 'x-brokle-max-costs'],
  ['a header that is no number', undefined, { 'x-brokle-max-cost-usd': 'one' }, 'x-brokle-max-cost-usd'],
  ['an unknown strategy in a header', undefined, { 'x-brokle-cache-strategy': 'all' }, 'x-brokle-cache-strategy'],
])('%s is refused, because a misspelled limit would be no limit', (_what, body, headers, param) => {
  expect(refusedParam(() => brokleOptions(body, headers))).toBe(param);
});
