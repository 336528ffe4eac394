import { describe, expect, test } from '@jest/globals';
import { normalUsage } from '../../../lib/ai/pricing/normal-usage.ts';
import type { ReportedUsage, Usage } from '../../../lib/ai/pricing/usage.ts';
import { wireUsage } from '../../../lib/ai/pricing/wire-usage.ts';

const ESTIMATE = { prompt_tokens: 7, completion_tokens: 5 };
const openai = (fields: Record<string, unknown>): ReportedUsage => ({ dialect: 'openai', fields });
const anthropic = (fields: Record<string, unknown>): ReportedUsage => ({ dialect: 'anthropic', fields });
const gemini = (fields: Record<string, unknown>): ReportedUsage => ({ dialect: 'gemini', fields });

/** The classes that are not 0. */
const classes = (usage: Usage) => {
  const { prompt_tokens, completion_tokens, estimated, anomaly, ...rest } = usage;
  return Object.fromEntries(Object.entries(rest).filter(([, count]) => count !== 0));
};

const ROWS: [string, ReportedUsage, Record<string, number>][] = [
  ['plain tokens', openai({ prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }), { input: 9, output: 12 }],
  [
    'reasoning beside the completion, by the total',
    openai({
      prompt_tokens: 100,
      completion_tokens: 10,
      total_tokens: 200,
      prompt_tokens_details: { cached_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 90 },
    }),
    { input: 80, cached_input: 20, output: 10, reasoning: 90 },
  ],
  [
    'reasoning inside the completion, by the total',
    openai({
      prompt_tokens: 100,
      completion_tokens: 100,
      total_tokens: 200,
      prompt_tokens_details: { cached_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 90 },
    }),
    { input: 80, cached_input: 20, output: 10, reasoning: 90 },
  ],
  [
    'reasoning larger than the completion, without a total',
    openai({
      prompt_tokens: 100,
      completion_tokens: 10,
      prompt_tokens_details: { cached_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 90 },
    }),
    { input: 80, cached_input: 20, output: 10, reasoning: 90 },
  ],
  [
    'reasoning smaller than the completion, without a total',
    openai({ prompt_tokens: 100, completion_tokens: 100, completion_tokens_details: { reasoning_tokens: 90 } }),
    { input: 100, output: 10, reasoning: 90 },
  ],
  [
    'reasoning in a total that matches nothing is inside',
    openai({ prompt_tokens: 100, completion_tokens: 100, total_tokens: 999, completion_tokens_details: { reasoning_tokens: 90 } }),
    { input: 100, output: 10, reasoning: 90 },
  ],
  [
    'a cache beside the prompt, by the total',
    openai({ prompt_tokens: 30, completion_tokens: 10, total_tokens: 60, prompt_tokens_details: { cached_tokens: 20 } }),
    { input: 30, cached_input: 20, output: 10 },
  ],
  [
    'a cache larger than the prompt, without a total',
    openai({ prompt_tokens: 10, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 20 } }),
    { input: 10, cached_input: 20, output: 10 },
  ],
  [
    'audio and images on both sides',
    openai({
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { audio_tokens: 30, image_tokens: 20, text_tokens: 50 },
      completion_tokens_details: { audio_tokens: 40 },
    }),
    { input: 50, audio_input: 30, image_input: 20, output: 10, audio_output: 40 },
  ],
  [
    'parts that together are larger than the whole are cut to it',
    openai({
      prompt_tokens: 100,
      completion_tokens: 0,
      total_tokens: 100,
      prompt_tokens_details: { audio_tokens: 90, image_tokens: 20, cached_tokens: 50 },
    }),
    { cached_input: 50, audio_input: 30, image_input: 20 },
  ],
  [
    "the responses API's names",
    openai({
      input_tokens: 50,
      output_tokens: 20,
      total_tokens: 70,
      input_tokens_details: { cached_tokens: 10 },
      output_tokens_details: { reasoning_tokens: 15 },
    }),
    { input: 40, cached_input: 10, output: 5, reasoning: 15 },
  ],
  [
    "DeepSeek's names of the cache",
    openai({ prompt_tokens: 50, completion_tokens: 2, total_tokens: 52, prompt_cache_hit_tokens: 30, prompt_cache_miss_tokens: 20 }),
    { input: 20, cached_input: 30, output: 2 },
  ],
  ['an embedding, which has no completion', openai({ prompt_tokens: 8, total_tokens: 8 }), { input: 8 }],
  [
    'details that are null',
    openai({
      prompt_tokens: 8,
      completion_tokens: 1,
      total_tokens: 9,
      prompt_tokens_details: null,
      completion_tokens_details: { reasoning_tokens: null },
    }),
    { input: 8, output: 1 },
  ],
  [
    "Anthropic's cache beside the input",
    anthropic({
      input_tokens: 10,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 500,
      output_tokens: 3,
      server_tool_use: { web_search_requests: 2 },
    }),
    { input: 10, cached_input: 500, output: 3, web_searches: 2 },
  ],
  [
    'cache writes split by their time',
    anthropic({
      input_tokens: 10,
      cache_creation_input_tokens: 1000,
      cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
      cache_read_input_tokens: 0,
      output_tokens: 0,
    }),
    { input: 10, cache_write_5m: 400, cache_write_1h: 600 },
  ],
  [
    'cache writes without a split',
    anthropic({ input_tokens: 10, cache_creation_input_tokens: 1000, output_tokens: 0 }),
    { input: 10, cache_write_5m: 1000 },
  ],
  [
    'a split below its total leaves the rest to five minutes',
    anthropic({
      input_tokens: 10,
      cache_creation_input_tokens: 1000,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 600 },
      output_tokens: 0,
    }),
    { input: 10, cache_write_5m: 400, cache_write_1h: 600 },
  ],
  [
    'a split above its total wins',
    anthropic({
      input_tokens: 10,
      cache_creation_input_tokens: 500,
      cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
      output_tokens: 0,
    }),
    { input: 10, cache_write_5m: 400, cache_write_1h: 600 },
  ],
  [
    "Gemini's thoughts beside the candidates",
    gemini({ promptTokenCount: 100, candidatesTokenCount: 10, thoughtsTokenCount: 90, totalTokenCount: 200 }),
    { input: 100, output: 10, reasoning: 90 },
  ],
  [
    "Gemini's thoughts inside the candidates, by the total",
    gemini({ promptTokenCount: 100, candidatesTokenCount: 100, thoughtsTokenCount: 90, totalTokenCount: 200 }),
    { input: 100, output: 10, reasoning: 90 },
  ],
  ["Gemini's prompt without an answer", gemini({ promptTokenCount: 100, totalTokenCount: 100 }), { input: 100 }],
  [
    "Gemini's kinds of tokens; an unknown kind has the plain class",
    gemini({
      promptTokenCount: 100,
      cachedContentTokenCount: 40,
      candidatesTokenCount: 30,
      totalTokenCount: 135,
      toolUsePromptTokenCount: 5,
      promptTokensDetails: [
        { modality: 'IMAGE', tokenCount: 50 },
        { modality: 'VIDEO', tokenCount: 10 },
        { modality: 'SMELL', tokenCount: 7 },
        { modality: 'TEXT', tokenCount: 33 },
      ],
      cacheTokensDetails: [{ modality: 'IMAGE', tokenCount: 40 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 25 }],
    }),
    { input: 45, cached_input: 40, image_input: 10, video_input: 10, output: 5, image_output: 25 },
  ],
  ['a transcription billed by its seconds', openai({ type: 'duration', seconds: 12.5 }), { audio_seconds: 12.5 }],
];

test.each(ROWS)('usage in the normal form: %s', (_name, reported, expected) => {
  const usage = normalUsage(reported, ESTIMATE);
  expect(classes(usage)).toEqual(expected);
  const { input, cached_input, cache_write_5m, cache_write_1h, image_input, audio_input, video_input } = usage;
  expect(usage.prompt_tokens).toBe(input + cached_input + cache_write_5m + cache_write_1h + image_input + audio_input + video_input);
  expect(usage.completion_tokens).toBe(usage.output + usage.reasoning + usage.image_output + usage.audio_output);
  expect(usage.anomaly).toBe(false);
});

test('usage that the provider reported whole is not an estimate', () => {
  expect(normalUsage(openai({ prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }), ESTIMATE).estimated).toBe(false);
});

describe('numbers that are missing or cannot be true', () => {
  test('an answer without usage has the estimate, which says so and is no anomaly', () => {
    const expected = { input: 7, output: 5, prompt_tokens: 7, completion_tokens: 5, estimated: true, anomaly: false };
    expect(normalUsage(undefined, ESTIMATE)).toMatchObject(expected);
    expect(normalUsage(openai({}), ESTIMATE)).toMatchObject(expected);
  });

  test.each([-1, 1.5, Number.NaN, null, 1e18, Number.POSITIVE_INFINITY, 'twelve', true])(
    'a completion of %p tokens counts as absent',
    (completion_tokens) => {
      expect(normalUsage(openai({ prompt_tokens: 9, completion_tokens }), ESTIMATE)).toMatchObject({
        input: 9,
        output: 5,
        estimated: true,
        anomaly: true,
      });
    },
  );

  test('a count that is written as a text is a count', () => {
    const usage = normalUsage(openai({ prompt_tokens: '9', completion_tokens: '12' }), ESTIMATE);
    expect(usage).toMatchObject({ input: 9, output: 12, estimated: false, anomaly: false });
  });

  test('an impossible completion is worked out from the total where there is one', () => {
    expect(normalUsage(openai({ prompt_tokens: 9, completion_tokens: -3, total_tokens: 21 }), ESTIMATE)).toMatchObject({
      output: 12,
      anomaly: true,
      estimated: true,
    });
  });

  test.each([-5, 0.5, 'many'])('a detail of %p tokens counts as 0 and marks the usage', (cached_tokens) => {
    const usage = normalUsage(
      openai({ prompt_tokens: 9, completion_tokens: 1, total_tokens: 10, prompt_tokens_details: { cached_tokens } }),
      ESTIMATE,
    );
    expect(usage).toMatchObject({ input: 9, cached_input: 0, estimated: true, anomaly: true });
  });

  test('a prompt of 0 tokens for a request that has text is replaced by the estimate', () => {
    expect(normalUsage(openai({ prompt_tokens: 0, completion_tokens: 4, total_tokens: 4 }), ESTIMATE)).toMatchObject({
      input: 7,
      output: 4,
      estimated: true,
      anomaly: true,
    });
  });

  test('an answer that ended early has at least the tokens that were seen', () => {
    const begun = anthropic({ input_tokens: 30, output_tokens: 1 });
    expect(normalUsage(begun, ESTIMATE, { incomplete: true })).toMatchObject({ input: 30, output: 5, estimated: true, anomaly: false });
    expect(normalUsage(anthropic({ input_tokens: 30, output_tokens: 9 }), ESTIMATE, { incomplete: true })).toMatchObject({
      output: 9,
      estimated: false,
    });
  });
});

test("the usage that clients read has reasoning and cached tokens inside OpenAI's two sums", () => {
  const usage = normalUsage(
    gemini({ promptTokenCount: 100, cachedContentTokenCount: 40, candidatesTokenCount: 10, thoughtsTokenCount: 90, totalTokenCount: 200 }),
    ESTIMATE,
  );
  expect(wireUsage(usage)).toMatchObject({
    prompt_tokens: 100,
    completion_tokens: 100,
    total_tokens: 200,
    prompt_tokens_details: { cached_tokens: 40 },
    completion_tokens_details: { reasoning_tokens: 90 },
  });
});
