import { describe, expect, test } from '@jest/globals';
import { geminiAdapter } from '../../../../lib/ai/providers/google/gemini-adapter.ts';
import type { ChatRequest, JsonObject } from '../../../../lib/ai/wire/chat.ts';

const target = (model: string) => ({
  provider_id: 'google',
  type: 'google' as const,
  base_url: 'https://generativelanguage.googleapis.com/v1beta',
  api_key: 'k',
  model,
});
const ask = (request: Partial<ChatRequest>, model = 'gemini-2.5-flash') =>
  geminiAdapter.chat({ request: { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...request }, forwarded: {} }, target(model));
const bodyOf = (request: Partial<ChatRequest>, model?: string) => JSON.parse(ask(request, model).body);
const tool = (parameters?: JsonObject) => ({
  type: 'function',
  function: { name: 'f', description: 'd', ...(parameters && { parameters }) },
});
const parametersOf = (parameters: JsonObject) => bodyOf({ tools: [tool(parameters)] }).tools[0].functionDeclarations[0].parameters;
const property = (schema: JsonObject) => parametersOf({ type: 'object', properties: { p: schema } }).properties.p;

describe('schemas of tools', () => {
  test.each<{ what: string; schema: JsonObject; sent: object }>([
    { what: 'a type or null', schema: { type: ['string', 'null'] }, sent: { type: 'string', nullable: true } },
    {
      what: 'anyOf with null',
      schema: { anyOf: [{ type: 'integer' }, { type: 'null' }], description: 'n' },
      sent: { type: 'integer', description: 'n', nullable: true },
    },
    {
      what: 'oneOf',
      schema: { oneOf: [{ type: 'string' }, { type: 'number' }] },
      sent: { anyOf: [{ type: 'string' }, { type: 'number' }] },
    },
    { what: 'several types', schema: { type: ['string', 'number'] }, sent: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
    { what: 'a constant', schema: { const: 'a' }, sent: { type: 'string', enum: ['a'] } },
    { what: 'an enum with null', schema: { enum: ['a', null] }, sent: { type: 'string', enum: ['a'], nullable: true } },
    { what: 'an enum of numbers', schema: { type: 'integer', enum: [1, 2] }, sent: { type: 'integer', description: 'One of: 1, 2.' } },
    { what: 'a known format', schema: { type: 'string', format: 'date-time' }, sent: { type: 'string', format: 'date-time' } },
    {
      what: 'another format',
      schema: { type: 'string', format: 'uri', description: 'u' },
      sent: { type: 'string', description: 'u Format: uri.' },
    },
    {
      what: 'an unknown keyword',
      schema: { type: 'number', exclusiveMinimum: 0 },
      sent: { type: 'number', description: 'exclusiveMinimum: 0.' },
    },
    { what: 'limits', schema: { type: 'number', minimum: 1, maximum: 2 }, sent: { type: 'number', minimum: 1, maximum: 2 } },
    {
      what: 'an array without items',
      schema: { type: 'array' },
      sent: { type: 'array', items: { type: 'string', description: 'Any JSON value.' } },
    },
    {
      what: 'a tuple',
      schema: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
      sent: {
        type: 'array',
        items: { anyOf: [{ type: 'string' }, { type: 'number' }] },
        description: 'A tuple of 2 items, in this order.',
      },
    },
    {
      what: 'a closed object with an unknown required name',
      schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b'], additionalProperties: false, $schema: 'x' },
      sent: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    },
    {
      what: 'allOf',
      schema: {
        allOf: [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { properties: { b: { type: 'number' } } }],
      },
      sent: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } }, required: ['a'] },
    },
    {
      what: 'properties called like keywords',
      schema: { type: 'object', properties: { $ref: { type: 'string' }, enum: { type: 'string' } } },
      sent: { type: 'object', properties: { $ref: { type: 'string' }, enum: { type: 'string' } } },
    },
  ])('$what is sent as Google takes it', ({ schema, sent }) => {
    expect(property(schema)).toEqual(sent);
  });

  test('references are replaced, and one that contains itself becomes an open object', () => {
    const schema: JsonObject = {
      type: 'object',
      properties: { node: { $ref: '#/$defs/node' } },
      $defs: { node: { type: 'object', properties: { name: { type: 'string' }, next: { $ref: '#/$defs/node' } } } },
    };
    expect(parametersOf(schema)).toEqual({
      type: 'object',
      properties: { node: { type: 'object', properties: { name: { type: 'string' }, next: { type: 'object' } } } },
    });
  });

  test('a reference that leads nowhere is refused by name', () => {
    expect(() => parametersOf({ type: 'object', properties: { a: { $ref: '#/$defs/none' } } })).toThrow(
      expect.objectContaining({ kind: 'bad_request', details: { param: 'tools.[0].function.parameters' } }),
    );
  });

  test('a property called __proto__ is kept', () => {
    const parameters = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"a":{"allOf":[{"type":"string"}]}}}');
    expect(ask({ tools: [tool(parameters)] }).body).toContain('"__proto__":{"type":"string"}');
  });

  test.each([undefined, {}, { type: 'object', properties: {} }])('a function with the parameters %j is sent without any', (parameters) => {
    expect(bodyOf({ tools: [tool(parameters)] }).tools).toEqual([{ functionDeclarations: [{ name: 'f', description: 'd' }] }]);
  });
});

test.each<{ choice: unknown; config: object }>([
  { choice: 'auto', config: { mode: 'AUTO' } },
  { choice: 'none', config: { mode: 'NONE' } },
  { choice: 'required', config: { mode: 'ANY' } },
  { choice: { type: 'function', function: { name: 'f' } }, config: { mode: 'ANY', allowedFunctionNames: ['f'] } },
  {
    choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] } },
    config: { mode: 'ANY', allowedFunctionNames: ['f'] },
  },
])('the tool choice $choice is sent as $config', ({ choice, config }) => {
  expect(bodyOf({ tools: [tool()], tool_choice: choice }).toolConfig).toEqual({ functionCallingConfig: config });
});

test('a tool that is no function is refused by name', () => {
  expect(() => ask({ tools: [{ type: 'custom', custom: { name: 'x' } }] })).toThrow(
    expect.objectContaining({ kind: 'bad_request', details: { param: 'tools.[0].type' } }),
  );
});

describe('the form of the answer', () => {
  const schema: JsonObject = {
    type: 'object',
    properties: {
      score: { type: 'integer', minimum: 1, maximum: 10 },
      tags: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
      k: { oneOf: [{ type: 'string' }, { type: 'null' }] },
    },
    required: ['score'],
  };
  const response_format = { type: 'json_schema', json_schema: { name: 'r', schema } };

  test('newer models get the JSON schema, with refused keywords in words and closed objects', () => {
    expect(bodyOf({ response_format }).generationConfig).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: {
        type: 'object',
        properties: {
          score: { type: 'integer', minimum: 1, maximum: 10 },
          tags: { type: 'array', items: { type: 'string', description: 'minLength: 1.' }, maxItems: 3 },
          k: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        },
        required: ['score'],
        additionalProperties: false,
      },
    });
  });

  test("older models get Google's own form of schemas", () => {
    expect(bodyOf({ response_format }, 'gemini-2.0-flash').generationConfig.responseSchema).toEqual({
      type: 'object',
      properties: {
        score: { type: 'integer', minimum: 1, maximum: 10 },
        tags: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
        k: { type: 'string', nullable: true },
      },
      required: ['score'],
    });
  });

  test('references to definitions stay for models that take them', () => {
    const recursive = {
      type: 'object',
      properties: { n: { $ref: '#/definitions/n' } },
      definitions: { n: { type: 'object', properties: { n: { $ref: '#/definitions/n' } } } },
    };
    expect(
      bodyOf({ response_format: { type: 'json_schema', json_schema: { name: 'r', schema: recursive } } }).generationConfig
        .responseJsonSchema,
    ).toEqual({
      type: 'object',
      properties: { n: { $ref: '#/$defs/n' } },
      $defs: { n: { type: 'object', properties: { n: { $ref: '#/$defs/n' } }, additionalProperties: false } },
      additionalProperties: false,
    });
  });

  test('a model that takes no schema beside tools is asked in words, and the caller is told', () => {
    const { body, warnings } = ask({ response_format, tools: [tool()] });
    expect(JSON.parse(body).generationConfig).toBeUndefined();
    expect(JSON.parse(body).systemInstruction.parts[0].text).toContain('"score"');
    expect(warnings).toEqual([expect.stringMatching(/^response_format/)]);
    expect(bodyOf({ response_format, tools: [tool()] }, 'gemini-3-pro-preview').generationConfig.responseJsonSchema).toBeDefined();
  });
});

describe('settings', () => {
  test('settings of OpenAI have their names of Google, and absent ones are not sent', () => {
    const settings = {
      max_tokens: 5,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      presence_penalty: 1,
      frequency_penalty: -1,
      seed: 7,
      n: 2,
      stop: 'END',
    };
    expect(bodyOf({ ...settings, logprobs: true, top_logprobs: 2, user: 'u' }).generationConfig).toEqual({
      maxOutputTokens: 5,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      presencePenalty: 1,
      frequencyPenalty: -1,
      seed: 7,
      candidateCount: 2,
      stopSequences: ['END'],
      responseLogprobs: true,
      logprobs: 2,
    });
  });

  test('no more than five stop sequences are sent, and no empty one', () => {
    expect(bodyOf({ stop: ['', '1', '2', '3', '4', '5', '6'] }).generationConfig.stopSequences).toEqual(['1', '2', '3', '4', '5']);
    expect(bodyOf({ stop: [] }).generationConfig).toBeUndefined();
  });

  test('a seed of more than 32 bits is left out with a warning', () => {
    expect(ask({ seed: 2 ** 40 })).toMatchObject({ warnings: [expect.stringMatching(/^seed/)] });
  });

  test('what newer models refuse is left out with a warning', () => {
    const { body, warnings } = ask({ n: 2, presence_penalty: 0.5, frequency_penalty: 0 }, 'gemini-3.8-flash');
    expect(JSON.parse(body).generationConfig).toBeUndefined();
    // Several answers are several calls.
    expect(warnings).toEqual([expect.stringMatching(/^presence_penalty/)]);
  });

  test.each([
    ['flex', 'flex'],
    ['priority', 'priority'],
    ['default', 'standard'],
    ['auto', undefined],
  ])('the service tier %s is asked for as %s', (service_tier, sent) => {
    expect(bodyOf({ service_tier }).service_tier).toBe(sent);
  });

  test('safety settings reach Google', () => {
    const safety_settings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];
    expect(bodyOf({ safety_settings }).safetySettings).toEqual(safety_settings);
    expect(bodyOf({ extra_body: { google: { safety_settings } } }).safetySettings).toEqual(safety_settings);
  });

  test.each<{ model: string; effort: string; limit?: number; sent?: object; warns?: boolean }>([
    { model: 'gemini-2.5-flash', effort: 'low', sent: { thinkingBudget: 1_024, includeThoughts: true } },
    { model: 'gemini-2.5-flash', effort: 'high', sent: { thinkingBudget: 24_576, includeThoughts: true } },
    { model: 'gemini-2.5-flash', effort: 'none', sent: { thinkingBudget: 0 } },
    { model: 'gemini-2.5-pro', effort: 'none', sent: { thinkingBudget: 128 }, warns: true },
    { model: 'gemini-2.5-flash', effort: 'medium', limit: 1_000, sent: { thinkingBudget: 500, includeThoughts: true } },
    { model: 'gemini-2.5-flash', effort: 'medium', limit: 50, sent: { thinkingBudget: 0 }, warns: true },
    { model: 'gemini-3-pro-preview', effort: 'medium', sent: { thinkingLevel: 'high', includeThoughts: true } },
    { model: 'gemini-3.1-pro-preview', effort: 'medium', sent: { thinkingLevel: 'medium', includeThoughts: true } },
    { model: 'gemini-3-flash-preview', effort: 'minimal', sent: { thinkingLevel: 'minimal', includeThoughts: true } },
    { model: 'gemini-3.8-flash', effort: 'minimal', sent: { thinkingLevel: 'low', includeThoughts: true } },
    { model: 'gemini-4-argon', effort: 'none', sent: { thinkingLevel: 'low' }, warns: true },
    { model: 'gemini-3-flash-preview', effort: 'xhigh', sent: { thinkingLevel: 'high', includeThoughts: true } },
    { model: 'gemini-3-flash-preview', effort: 'none', sent: { thinkingLevel: 'minimal' }, warns: true },
    { model: 'gemini-2.0-flash', effort: 'high', warns: true },
    { model: 'gemini-2.0-flash', effort: 'none' },
    { model: 'gemini-2.5-flash', effort: 'enormous', warns: true },
  ])('$model with the effort $effort and the limit $limit gets $sent', ({ model, effort, limit, sent, warns = false }) => {
    const { body, warnings } = ask({ reasoning_effort: effort, ...(limit !== undefined && { max_completion_tokens: limit }) }, model);
    expect(JSON.parse(body).generationConfig?.thinkingConfig).toEqual(sent);
    expect(warnings).toHaveLength(warns ? 1 : 0);
  });
});

test.each([
  { base_url: 'http://localhost:9', url: 'http://localhost:9/v1beta/models/g:generateContent' },
  { base_url: 'http://localhost:9/v1/', url: 'http://localhost:9/v1beta/models/g:generateContent' },
  { base_url: 'http://localhost:9/v1alpha', url: 'http://localhost:9/v1alpha/models/g:generateContent' },
  { base_url: 'https://a.example/v1/publishers/google', url: 'https://a.example/v1/publishers/google/models/g:generateContent' },
])('the base address $base_url leads to $url', ({ base_url, url }) => {
  const call = { request: { model: 'm', messages: [{ role: 'user', content: 'hi' }] }, forwarded: {} };
  expect(geminiAdapter.chat(call, { ...target('g'), base_url }).url).toBe(url);
});

describe('embeddings', () => {
  const embed = (input: string | string[] | number[], more = {}) =>
    geminiAdapter.embeddings?.({ request: { model: 'm', input, ...more } }, target('gemini-embedding-001'));

  test('one text is embedded alone, several together', () => {
    expect(embed('a', { dimensions: 2 })).toMatchObject({
      url: expect.stringMatching(/gemini-embedding-001:embedContent$/),
      body: JSON.stringify({ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'a' }] }, outputDimensionality: 2 }),
    });
    const several = embed(['a', 'b']);
    expect(several?.url).toMatch(/:batchEmbedContents$/);
    expect(JSON.parse(several?.body ?? '').requests).toHaveLength(2);
  });

  test('lists of tokens are refused by name', () => {
    expect(() => embed([1, 2])).toThrow(expect.objectContaining({ kind: 'bad_request', details: { param: 'input' } }));
  });

  test.each([
    { body: { embedding: { values: [1, 2] } }, vectors: [[1, 2]] },
    { body: { embeddings: [{ values: [1] }, { values: [2] }] }, vectors: [[1], [2]] },
  ])('the vectors of $body are read', ({ body, vectors }) => {
    expect(geminiAdapter.decodeEmbeddings?.(body, target('e'))).toMatchObject({ vectors });
  });

  test('an answer without vectors is no answer', () => {
    expect(() => geminiAdapter.decodeEmbeddings?.({}, target('e'))).toThrow(expect.objectContaining({ name: 'UnusableAnswer' }));
  });
});

test('a tool whose type is no text is refused by its place', () => {
  for (const type of [null, 5, {}, { toString: 1 }]) {
    expect(() => ask({ tools: [{ type, function: { name: 'f' } } as never] })).toThrow("of the type 'function' only");
  }
});

test('a result that is a lone number is wrapped with its digits, and is refused as arguments', () => {
  const call = (text: string) => ({ id: 'c1', type: 'function' as const, function: { name: 'f', arguments: text } });
  const turn = (text: string, content: string) => ({
    messages: [
      { role: 'user' as const, content: 'hi' },
      { role: 'assistant' as const, content: null, tool_calls: [call(text)] },
      { role: 'tool' as const, tool_call_id: 'c1', content },
    ],
  });
  for (const number of ['1.50', '12345678901234567890']) {
    expect(ask(turn('{}', number)).body).toContain(`"response":{"result":${number}}`);
    expect(() => ask(turn(number, 'ok'))).toThrow(/must be one JSON object/);
  }
});
