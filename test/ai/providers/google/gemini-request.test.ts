import { describe, expect, test } from '@jest/globals';
import { geminiAdapter } from '../../../../lib/ai/providers/google/gemini-adapter.ts';
import type { ChatMessage, ChatRequest } from '../../../../lib/ai/wire/chat.ts';

const target = (model = 'gemini-2.5-flash') => ({
  provider_id: 'google',
  type: 'google' as const,
  base_url: 'https://generativelanguage.googleapis.com/v1',
  api_key: 'AIza-test',
  model,
});
const ask = (request: Partial<ChatRequest>, model?: string) =>
  geminiAdapter.chat({ request: { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...request }, forwarded: {} }, target(model));
const bodyOf = (request: Partial<ChatRequest>, model?: string) => JSON.parse(ask(request, model).body);
const paramOf = (request: Partial<ChatRequest>, model?: string) => {
  try {
    ask(request, model);
  } catch (error) {
    return error;
  }
  return undefined;
};
const refusal = (param: string, message: RegExp = /./) =>
  expect.objectContaining({ kind: 'bad_request', message: expect.stringMatching(message), details: { param } });

const calls = (...args: [string, string, string][]): ChatMessage => ({
  role: 'assistant',
  content: null,
  tool_calls: args.map(([id, name, text]) => ({ id, type: 'function', function: { name, arguments: text } })),
});
const result = (tool_call_id: string, content: ChatMessage['content']): ChatMessage => ({
  role: 'tool',
  tool_call_id,
  content: content ?? null,
});

test('a request goes to v1beta, with the key in a header and not in the address', () => {
  expect(ask({})).toEqual({
    method: 'POST',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': 'AIza-test' },
    body: '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
    warnings: [],
  });
  expect(ask({ stream: true }).url).toMatch(/:streamGenerateContent\?alt=sse$/);
});

describe('the conversation', () => {
  test('system and developer messages become one instruction, wherever they stand, and blank ones none', () => {
    const { contents, systemInstruction } = bodyOf({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'a' },
        { role: 'developer', content: [{ type: 'text', text: ' ' }] },
        { role: 'developer', content: 'Be kind.' },
      ],
    });
    expect(systemInstruction).toEqual({ parts: [{ text: 'Be brief.\n\nBe kind.' }] });
    expect(contents).toEqual([{ role: 'user', parts: [{ text: 'a' }] }]);
  });

  test('empty texts are left out, blank ones stay as they are', () => {
    const { contents } = bodyOf({
      messages: [
        { role: 'user', content: ' ' },
        { role: 'assistant', content: '' },
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    });
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: ' ' }] },
      { role: 'user', parts: [{ text: 'b' }] },
    ]);
  });

  test('messages without any content are refused by name', () => {
    expect(paramOf({ messages: [{ role: 'user', content: '' }] })).toEqual(refusal('messages.[0].content'));
  });

  test('images, audio and files become inline data or links', () => {
    const { contents } = bodyOf({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.webp?x=1' } },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CCCC' } },
            { type: 'file', file: { file_id: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
          ],
        },
      ],
    });
    expect(contents[0].parts).toEqual([
      { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
      { fileData: { mimeType: 'image/webp', fileUri: 'https://example.com/a.webp?x=1' } },
      { inlineData: { mimeType: 'audio/mp3', data: 'BBBB' } },
      { inlineData: { mimeType: 'application/pdf', data: 'CCCC' } },
      { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
    ]);
  });

  test('a file that another provider stores is refused by name', () => {
    expect(paramOf({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] })).toEqual(
      refusal('messages.[0].content.[0].file.file_id'),
    );
  });
});

describe('tool calls and their results', () => {
  const turn = [{ role: 'user', content: 'w' }, calls(['c1', 'weather', '{"city":"Oslo"}'], ['c2', 'weather', '{"city":"Rome"}'])];

  test('results of two calls of one function are one content, in the order of the calls, before the text of the user', () => {
    const { contents } = bodyOf({
      messages: [...turn, result('c2', '{"t":20}'), result('c1', '{"t":1}'), { role: 'user', content: 'and?' }],
    });
    expect(contents.slice(1)).toEqual([
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'c1', name: 'weather', args: { city: 'Oslo' } } },
          { functionCall: { id: 'c2', name: 'weather', args: { city: 'Rome' } } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'c1', name: 'weather', response: { t: 1 } } },
          { functionResponse: { id: 'c2', name: 'weather', response: { t: 20 } } },
        ],
      },
      { role: 'user', parts: [{ text: 'and?' }] },
    ]);
  });

  test.each([
    { content: '[1,2]', response: { result: [1, 2] } },
    { content: 'sunny', response: { result: 'sunny' } },
    { content: '', response: { result: '' } },
    { content: 'null', response: { result: null } },
    { content: '{"a":{"b":1}}', response: { a: { b: 1 } } },
    { content: [{ type: 'text', text: '{"a":1}' }], response: { a: 1 } },
  ])('the result $content is sent as an object', ({ content, response }) => {
    const { contents } = bodyOf({ messages: [{ role: 'user', content: 'w' }, calls(['c1', 'f', '{}']), result('c1', content)] });
    expect(contents[2].parts).toEqual([{ functionResponse: { id: 'c1', name: 'f', response } }]);
  });

  test('an image in a result goes inside the response for models that take it there, else after the responses', () => {
    const image = [
      { type: 'text', text: 'see' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
    ];
    const messages = [...turn, result('c1', image), result('c2', 'ok')];
    const inline = { inlineData: { mimeType: 'image/png', data: 'AA' } };
    expect(bodyOf({ messages }, 'gemini-3-flash-preview').contents[2].parts[0].functionResponse).toMatchObject({
      response: { result: 'see' },
      parts: [inline],
    });
    const older = bodyOf({ messages }).contents;
    expect(older[2].parts).toHaveLength(2);
    expect(older[3]).toEqual({ role: 'user', parts: [{ text: 'Content of the result of weather (c1):' }, inline] });
  });

  test('a call without a result is refused with the id of the call', () => {
    expect(paramOf({ messages: [...turn, result('c1', 'x'), { role: 'user', content: 'q' }] })).toEqual(refusal('messages.[2]', /'c2'/));
    expect(paramOf({ messages: turn })).toEqual(refusal('messages', /'c1'/));
  });

  test('a result without a call is refused by name', () => {
    expect(paramOf({ messages: [{ role: 'user', content: 'q' }, result('c9', 'x')] })).toEqual(
      refusal('messages.[1].tool_call_id', /'c9'/),
    );
  });

  test.each(['{"a":1}{"b":2}', '[1]', 'null', '{"a":'])('arguments that are no JSON object (%s) are refused by name', (text) => {
    expect(paramOf({ messages: [{ role: 'user', content: 'q' }, calls(['c1', 'f', text]), result('c1', '')] })).toEqual(
      refusal('messages.[1].tool_calls.[0].function.arguments'),
    );
  });

  test('numbers in arguments and results keep their digits', () => {
    const messages = [
      { role: 'user', content: 'q' },
      calls(['c1', 'f', '{"id":12345678901234567890,"x":1.0}']),
      result('c1', '{"n":98765432109876543210}'),
    ];
    expect(ask({ messages }).body).toContain('{"id":12345678901234567890,"x":1.0}');
    expect(ask({ messages }).body).toContain('{"n":98765432109876543210}');
  });

  test('ids that Google did not give are sent to newer models only, which want one at each call', () => {
    const messages = [{ role: 'user', content: 'w' }, calls(['call_1', 'f', '']), result('call_1', 'x')];
    expect(bodyOf({ messages }, 'gemini-3.8-flash').contents[2].parts[0].functionResponse.id).toBe('call_1');
    const { contents } = bodyOf({ messages });
    expect(contents[1].parts).toEqual([{ functionCall: { name: 'f', args: {} } }]);
    expect(contents[2].parts).toEqual([{ functionResponse: { name: 'f', response: { result: 'x' } } }]);
  });
});

describe('signatures of thoughts', () => {
  const signed = (members: object, more: object = {}) => [
    { role: 'user', content: 'q' },
    {
      role: 'assistant',
      content: null,
      ...more,
      tool_calls: [{ id: 'c1', type: 'function' as const, function: { name: 'f', arguments: '{}' }, ...members }],
    },
    result('c1', 'x'),
  ];

  test.each([
    { carrier: 'the tool call', messages: signed({ thought_signature: 'sig' }) },
    { carrier: "Google's own member of the tool call", messages: signed({ extra_content: { google: { thought_signature: 'sig' } } }) },
    {
      carrier: 'reasoning_details',
      messages: signed({}, { reasoning_details: [{ type: 'google.thought_signature', signature: 'sig', tool_call_id: 'c1' }] }),
    },
  ])('a signature that comes back in $carrier stands at the call again', ({ messages }) => {
    const { body, warnings } = ask({ messages }, 'gemini-3-pro-preview');
    expect(JSON.parse(body).contents[1].parts[0].thoughtSignature).toBe('sig');
    expect(warnings).toEqual([]);
  });

  test('a lost signature is replaced by the documented value and a warning, for models that need one', () => {
    const { body, warnings } = ask({ messages: signed({}) }, 'gemini-3-pro-preview');
    expect(JSON.parse(body).contents[1].parts[0].thoughtSignature).toBe('skip_thought_signature_validator');
    expect(warnings).toEqual([expect.stringMatching(/signature/)]);
    expect(bodyOf({ messages: signed({}) }).contents[1].parts[0]).not.toHaveProperty('thoughtSignature');
  });

  test("another provider's signatures are not sent", () => {
    const messages = signed({}, { reasoning_details: [{ type: 'thinking', text: 't', signature: 'anthropic' }] });
    expect(ask({ messages }).body).not.toContain('anthropic');
  });

  test("the text's signature stands at the text again", () => {
    const messages: ChatMessage[] = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a', reasoning_details: [{ type: 'google.thought_signature', signature: 's' }] },
      { role: 'user', content: 'r' },
    ];
    expect(bodyOf({ messages }).contents[1].parts).toEqual([{ text: 'a', thoughtSignature: 's' }]);
  });
});
