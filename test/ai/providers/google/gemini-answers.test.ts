import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { geminiAdapter } from '../../../../lib/ai/providers/google/gemini-adapter.ts';

/** The fixtures follow the examples of Google's public documentation of `generateContent` and of its error model. */
const fixture = (name: string): unknown => JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8'));
const target = { provider_id: 'google', type: 'google' as const, base_url: 'https://g', api_key: 'k', model: 'gemini-2.5-flash' };
const read = (body: unknown) => geminiAdapter.completion(body, target);
const choiceOf = (name: string) => read(fixture(name)).completion.choices[0];

describe('an answer of Google', () => {
  test('with text is a chat completion with usage', () => {
    expect(read(fixture('text'))).toMatchObject({
      completion: {
        id: 'chatcmpl-r-1',
        object: 'chat.completion',
        model: 'gemini-2.5-flash',
        choices: [
          { index: 0, message: { role: 'assistant', content: '北京 🌧 Hello.', refusal: null }, logprobs: null, finish_reason: 'stop' },
        ],
        usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
      },
      usage: { dialect: 'gemini', fields: { promptTokenCount: 9 } },
    });
  });

  test('with a function call has a tool call with an id of ours, and ends with tool_calls although Google says STOP', () => {
    expect(choiceOf('tool')).toMatchObject({
      message: {
        content: null,
        tool_calls: [
          { id: expect.stringMatching(/^call_\w{24}$/), type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
        ],
      },
      finish_reason: 'tool_calls',
    });
  });

  test('with two calls of one function has both, with their own ids and the signature on the first', () => {
    const message = choiceOf('tools-parallel')?.message;
    expect(message?.tool_calls).toEqual([
      {
        id: '8f4z',
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Oslo"}' },
        thought_signature: 'c2ln',
        extra_content: { google: { thought_signature: 'c2ln' } },
      },
      { id: '9a2b', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
    ]);
    expect(message?.reasoning_details).toEqual([{ type: 'google.thought_signature', signature: 'c2ln', tool_call_id: '8f4z' }]);
  });

  test('with a call without arguments has {} as arguments', () => {
    expect(choiceOf('tool-no-args')?.message).toMatchObject({
      content: 'One moment.',
      tool_calls: [{ function: { name: 'now', arguments: '{}' } }],
    });
  });

  test('with large integers and fractions as arguments keeps their digits', () => {
    const text =
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"id":12345678901234567890,"x":1.0}}}]},"finishReason":"STOP"}]}';
    const { completion } = geminiAdapter.completion(JSON.parse(text), target, text);
    expect(completion.choices[0]?.message.tool_calls?.[0]?.function.arguments).toBe('{"id":12345678901234567890,"x":1.0}');
  });

  test('names the service tier that served it', () => {
    const usageMetadata = { promptTokenCount: 1, serviceTier: 'STANDARD' };
    expect(read({ candidates: [{ content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' }], usageMetadata }).usage).toMatchObject({
      service_tier: 'default',
    });
  });

  test('with thoughts keeps them apart from the text, and the signature apart from both', () => {
    expect(read(fixture('thinking')).completion).toMatchObject({
      choices: [
        {
          message: {
            content: 'Three.',
            reasoning_content: '**Counting** the letters.',
            reasoning_details: [{ type: 'google.thought_signature', signature: 'dGV4dA==' }],
          },
        },
      ],
      usage: { prompt_tokens: 100, completion_tokens: 100, total_tokens: 200, completion_tokens_details: { reasoning_tokens: 90 } },
    });
  });

  test('with cached tokens counts them inside the prompt', () => {
    expect(read(fixture('cached')).completion.usage).toMatchObject({
      prompt_tokens: 5_000,
      prompt_tokens_details: { cached_tokens: 4_096, audio_tokens: 100 },
    });
  });

  test('with an image has it in `images`', () => {
    expect(choiceOf('image')?.message).toMatchObject({
      content: 'Here:',
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
    });
  });

  test('with several candidates has as many choices', () => {
    expect(
      read(fixture('candidates')).completion.choices.map(({ index, message, finish_reason }) => [index, message.content, finish_reason]),
    ).toEqual([
      [0, 'A', 'stop'],
      [1, 'B', 'length'],
    ]);
  });

  test('with log probabilities has them in the form of OpenAI', () => {
    expect(choiceOf('logprobs')?.logprobs).toMatchObject({
      content: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105], top_logprobs: [{ token: 'Hi' }, { token: 'Yo', logprob: -1.5 }] }],
    });
  });

  test('whose prompt was blocked has one choice that ends with content_filter', () => {
    expect(read(fixture('blocked-prompt')).completion.choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
        native_finish_reason: 'PROHIBITED_CONTENT',
      },
    ]);
  });

  test('whose candidate has no content has one choice all the same', () => {
    expect(choiceOf('safety-candidate')).toMatchObject({
      message: { content: '' },
      finish_reason: 'content_filter',
      native_finish_reason: 'SAFETY',
    });
  });
});

const ended = (finishReason: string, parts?: object[]) => ({ candidates: [{ ...(parts && { content: { parts } }), finishReason }] });
test.each([
  ['STOP', 'stop', 'stop'],
  ['MAX_TOKENS', 'length', 'length'],
  ['SAFETY', 'content_filter', 'content_filter'],
  ['BLOCKLIST', 'content_filter', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter', 'content_filter'],
  ['SPII', 'content_filter', 'content_filter'],
  ['LANGUAGE', 'content_filter', 'content_filter'],
  ['IMAGE_SAFETY', 'content_filter', 'content_filter'],
  ['RECITATION', 'stop', 'stop'],
  ['OTHER', 'stop', 'stop'],
  ['FUNCTION_CALL', 'stop', 'stop'],
  ['MALFORMED_FUNCTION_CALL', 'unusable', 'unusable'],
  ['UNEXPECTED_TOOL_CALL', 'unusable', 'unusable'],
  ['A_NEW_REASON', 'stop', 'unusable'],
  ['constructor', 'stop', 'unusable'],
])('the finish reason %s is %s after text, and %s without any content', (reason, withText, without) => {
  const finish = (body: unknown) => {
    try {
      return read(body).completion.choices[0]?.finish_reason;
    } catch (error) {
      return error instanceof Error && error.name === 'UnusableAnswer' ? 'unusable' : error;
    }
  };
  expect(finish(ended(reason, [{ text: 'a' }]))).toBe(withText);
  expect(finish(ended(reason))).toBe(without);
});

test.each(['<html>', {}, [], null, { candidates: 'x' }, { candidates: [{ content: { parts: [1] } }] }, { promptFeedback: {} }])(
  '%j is no answer',
  (body) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ name: 'UnusableAnswer' }));
  },
);

describe('failures', () => {
  test.each([
    { name: 'error-429', status: 429, blame: 'rate_limited', code: 'rate_limit_exceeded', retry_after_ms: 31_200 },
    { name: 'error-key', status: 400, blame: 'credentials', code: null },
    { name: 'error-503', status: 503, blame: 'provider', code: null },
    { name: 'error-400', status: 400, blame: 'caller', code: 'invalid_value' },
    { name: 'error-404', status: 404, blame: 'caller', code: 'model_not_found' },
    { name: 'error-credits', status: 429, blame: 'exhausted_account', code: 'insufficient_quota' },
    { name: 'error-too-long', status: 400, blame: 'caller', code: 'context_length_exceeded' },
    { name: 'error-stream-list', status: 503, blame: 'provider', code: null },
  ])('$name is blamed on $blame', ({ name, status, ...expected }) => {
    expect(geminiAdapter.failure(status, {}, fixture(name))).toMatchObject({ status, ...expected });
    expect(geminiAdapter.failureIn(fixture(name))).toMatchObject({ status, blame: expected.blame });
  });

  test('a refused key never shows in the message', () => {
    expect(geminiAdapter.failure(403, {}, { error: { code: 403, message: 'Key AIzaSyA1234567890 is blocked' } }).message).not.toContain(
      'AIza',
    );
    expect(geminiAdapter.failure(400, {}, { error: { code: 400, message: 'bad: AIzaSyA1234567890' } }).message).toBe('bad: [redacted]');
  });

  test('a page that is not found is a missing endpoint, and other pages are failures of the provider', () => {
    expect(geminiAdapter.failure(404, {}, '<html>').blame).toBe('missing_endpoint');
    expect(geminiAdapter.failure(502, { 'retry-after': '2' }, '<html>')).toMatchObject({ blame: 'provider', retry_after_ms: 2_000 });
  });

  test('an answer is no failure', () => {
    expect(geminiAdapter.failureIn(fixture('text'))).toBeUndefined();
  });
});

test('members that are null count as absent', () => {
  const absent = { promptFeedback: null, usageMetadata: null };
  expect(() => read({ candidates: null, promptFeedback: { blockReason: null } })).toThrow(/no candidates/);
  expect(read({ candidates: null, promptFeedback: { blockReason: 'SAFETY' } }).completion.choices[0]?.finish_reason).toBe('content_filter');
  const ended = { ...absent, candidates: [{ content: { parts: null }, finishReason: 'MAX_TOKENS' }] };
  expect(read(ended)).toMatchObject({ completion: { choices: [{ finish_reason: 'length' }] } });
  const stream = geminiAdapter.stream(target);
  const events = [ended, '[DONE]'].map((data) =>
    stream.decode({ event: '', data: typeof data === 'string' ? data : JSON.stringify(data) }),
  );
  expect([...events.flat(), ...stream.end()].map(({ kind }) => kind)).toEqual(['chunk', 'done']);
});
