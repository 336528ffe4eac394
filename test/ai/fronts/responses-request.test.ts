import { describe, expect, test } from '@jest/globals';
import { responsesFront } from '../../../lib/ai/fronts/responses/responses-front.ts';

const translate = (body: object) =>
  responsesFront({ model: 'm', input: 'hi', ...body }, { request_id: 'req_1', nowMs: 1_767_225_600_000, text: '' });
const messagesOf = (input: unknown, more = {}) => translate({ input, ...more }).request.messages;
const user = (content: unknown) => ({ role: 'user', content });

describe('the input', () => {
  test('a text is what the user says, after the instructions', () => {
    expect(messagesOf('hi', { instructions: 'Be brief.' })).toEqual([{ role: 'system', content: 'Be brief.' }, user('hi')]);
  });

  test('messages with and without a type are read', () => {
    const items = [
      { role: 'developer', content: 'd' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'b', annotations: [] }],
      },
      user('c'),
    ];
    expect(messagesOf(items)).toEqual([{ role: 'developer', content: 'd' }, user('a'), { role: 'assistant', content: 'b' }, user('c')]);
  });

  test('images and files become parts of the chat', () => {
    const content = [
      { type: 'input_text', text: 'see' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BB' },
    ];
    expect(messagesOf([user(content)])).toEqual([
      user([
        { type: 'text', text: 'see' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BB' } },
      ]),
    ]);
  });

  test('what the assistant did in one turn is one message, and results follow it', () => {
    const items = [
      user('w'),
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me see.' }] },
      { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call', id: 'fc_2', call_id: 'c2', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'one' },
      { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'two' }] },
      { type: 'message', role: 'assistant', content: 'done' },
    ];
    expect(messagesOf(items)).toEqual([
      user('w'),
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          { id: 'c2', type: 'function', function: { name: 'f', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'one' },
      { role: 'tool', tool_call_id: 'c2', content: 'two' },
      { role: 'assistant', content: 'done' },
    ]);
  });

  test('reasoning that comes back is at the assistant message that it belongs to, and foreign reasoning is not', () => {
    const head = translate({}).completion({
      id: 'x',
      object: 'chat.completion',
      created: 0,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            reasoning_content: 'Hm.',
            reasoning_details: [
              { type: 'thinking', text: 'Hm.', signature: 'sig1' },
              { type: 'google.thought_signature', signature: 'sig2', tool_call_id: 'c1' },
            ],
            tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      brokle: {} as never,
    }) as { output: object[] };
    const foreign = { type: 'reasoning', id: 'rs_9', summary: [], encrypted_content: 'gAAAAAB' };
    const [, assistant] = messagesOf([user('q'), foreign, ...head.output, { type: 'function_call_output', call_id: 'c1', output: 'r' }]);
    expect(assistant).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'Hm.',
      reasoning_details: [
        { type: 'thinking', text: 'Hm.', signature: 'sig1' },
        { type: 'google.thought_signature', signature: 'sig2', tool_call_id: 'c1' },
      ],
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' }, thought_signature: 'sig2' }],
    });
  });

  test.each([
    { what: 'no input', body: { input: undefined }, param: 'input' },
    { what: 'an empty input', body: { input: [] }, param: 'input' },
    { what: 'an unknown item', body: { input: [{ type: 'web_search_call' }] }, param: 'input.[0].type' },
    { what: 'an unknown part', body: { input: [user([{ type: 'x' }])] }, param: 'input.[0].content.[0].type' },
    { what: 'a reference to a message', body: { input: [{ type: 'item_reference', id: 'msg_1' }] }, param: 'input.[0].id' },
    {
      what: 'a stored file as an image',
      body: { input: [user([{ type: 'input_image', file_id: 'file_1' }])] },
      param: 'input.[0].content.[0].file_id',
    },
    { what: 'an earlier response', body: { previous_response_id: 'resp_1' }, param: 'previous_response_id' },
    { what: 'a conversation', body: { conversation: 'conv_1' }, param: 'conversation' },
    { what: 'a run in the background', body: { background: true }, param: 'background' },
    { what: 'a tool of the provider', body: { tools: [{ type: 'web_search' }] }, param: 'tools.[0].type' },
    { what: 'no model', body: { model: undefined }, param: 'model' },
    { what: 'a stream that is no boolean', body: { stream: 'yes' }, param: 'stream' },
  ])('$what is refused as $param', ({ body, param }) => {
    expect(() => translate(body)).toThrow(expect.objectContaining({ kind: 'bad_request', details: { param } }));
  });

  test('a reference to reasoning is left out with a warning', () => {
    const { request, warnings } = translate({ input: [user('a'), { type: 'item_reference', id: 'rs_1' }] });
    expect(request.messages).toEqual([user('a')]);
    expect(warnings).toEqual([expect.stringMatching(/^input\.\[1\]/)]);
  });
});

describe('settings', () => {
  test('settings have their names of the chat', () => {
    const { request } = translate({
      max_output_tokens: 5,
      temperature: 0,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'r', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      tools: [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: false,
      top_logprobs: 2,
    });
    expect(request).toEqual({
      model: 'm',
      messages: [user('hi')],
      max_completion_tokens: 5,
      temperature: 0,
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'r', schema: { type: 'object' }, strict: true } },
      verbosity: 'low',
      tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
      logprobs: true,
      top_logprobs: 2,
    });
  });

  test('a stream needs usage at its end, which is not the wish of the caller', () => {
    const { request, usageAtEnd } = translate({ stream: true });
    expect([request.stream, request.stream_options, usageAtEnd]).toEqual([true, undefined, true]);
  });

  test('metadata and store stay with the gateway, and the caller learns what is ignored', () => {
    const { request, warnings } = translate({ metadata: { a: 'b' }, store: true, truncation: 'auto', max_tool_calls: 3 });
    expect(Object.keys(request)).toEqual(['model', 'messages']);
    expect(warnings).toEqual([
      expect.stringMatching(/^store/),
      expect.stringMatching(/^truncation/),
      expect.stringMatching(/^max_tool_calls/),
    ]);
    expect(translate({ store: false }).warnings).toEqual([]);
  });
});
