import { describe, expect, test } from '@jest/globals';
import { costOf } from '../../../lib/ai/pricing/cost.ts';
import { roundHalfEven } from '../../../lib/ai/pricing/exact-decimal.ts';
import { normalUsage } from '../../../lib/ai/pricing/normal-usage.ts';
import { picoUsdOf, usdOf, usdText } from '../../../lib/ai/pricing/pico-usd.ts';
import type { Prices } from '../../../lib/ai/pricing/prices.ts';
import { NO_USAGE, type Usage } from '../../../lib/ai/pricing/usage.ts';

const INPUT = ['input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'image_input', 'audio_input', 'video_input'] as const;
function usageOf(classes: Partial<Usage>): Usage {
  const usage = { ...NO_USAGE, ...classes };
  return {
    ...usage,
    prompt_tokens: INPUT.reduce((sum, name) => sum + usage[name], 0),
    completion_tokens: usage.output + usage.reasoning + usage.image_output + usage.audio_output,
  };
}
const usdCost = (usage: Partial<Usage>, prices: Prices, service_tier?: string) =>
  usdText(costOf(usageOf(usage), prices, { service_tier }).pico_usd);

describe('rounding', () => {
  test.each<[string, Partial<Usage>, Prices, bigint]>([
    ['a price below a millionth of a dollar', { input: 1 }, { input: 0.0375 }, 37_500n],
    ['the smallest price', { input: 1 }, { input: 0.004 }, 4_000n],
    ['a price with seventeen digits is multiplied before it is rounded', { input: 3 }, { input: 0.08333333333333334 }, 250_000n],
    ['a price that JavaScript writes with an exponent', { input: 7 }, { input: 2e-8 }, 0n],
    ['a quarter of a second of audio by the hour', { audio_seconds: 0.25 }, { audio_input_per_hour: 0.111 }, 7_708_333n],
    ['a price whose binary number is a little beside it', { input: 3 }, { input: 1.005 }, 3_015_000n],
    ['searches by the thousand', { web_searches: 3 }, { web_search_per_1k: 10 }, 30_000_000_000n],
    ['a price for each request', {}, { per_request: 0.005 }, 5_000_000_000n],
  ])('%s', (_name, usage, prices, pico) => {
    expect(costOf(usageOf(usage), prices).pico_usd).toBe(pico);
  });

  test('a thousand calls of one token cost a thousand times one call', () => {
    const one = costOf(usageOf({ input: 1 }), { input: 0.0375 }).pico_usd;
    expect(usdText(one * 1_000n)).toBe('0.0000375');
    expect(usdOf(one)).toBe(3.75e-8);
  });

  test('9 prompt and 12 answer tokens of gpt-4 cost 0.00099', () => {
    expect(usdCost({ input: 9, output: 12 }, { input: 30, output: 60 })).toBe('0.00099');
  });

  test.each<[bigint, bigint, bigint]>([
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [51n, 100n, 1n],
    [49n, 100n, 0n],
    [0n, 3n, 0n],
  ])('%p/%p is rounded to %p', (numerator, denominator, expected) => {
    expect(roundHalfEven(numerator, denominator)).toBe(expected);
  });

  test('each class is rounded for itself, so the cost is the sum of its parts', () => {
    const cost = costOf(usageOf({ input: 1, output: 1 }), { input: 0.0000005, output: 0.0000005 });
    expect(cost.by_class).toEqual({ input: 0n, output: 0n });
    expect(cost.pico_usd).toBe(0n);
  });
});

describe('the one-hour cache write', () => {
  const reported = (fields: Record<string, unknown>) =>
    normalUsage(
      {
        dialect: 'anthropic',
        fields: { input_tokens: 10, cache_creation_input_tokens: 1000, cache_read_input_tokens: 0, output_tokens: 0, ...fields },
      },
      { prompt_tokens: 1, completion_tokens: 0 },
    );
  const split = { cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 } };

  test('costs its own price', () => {
    const cost = costOf(reported(split), { input: 3, cache_write_5m: 3.75, cache_write_1h: 6, output: 15 });
    expect(usdText(cost.pico_usd)).toBe('0.00513');
    expect(cost.estimated).toBe(false);
  });

  test('is one of five minutes if the provider does not tell them apart', () => {
    expect(usdText(costOf(reported({}), { input: 3, cache_write_5m: 3.75, cache_write_1h: 6, output: 15 }).pico_usd)).toBe('0.00378');
  });

  test('costs twice the input if its price is not known, and the cost is marked', () => {
    const cost = costOf(reported(split), { input: 3, cache_write_5m: 3.75, output: 15 });
    expect(usdText(cost.pico_usd)).toBe('0.00513');
    expect(cost.estimated).toBe(true);
  });
});

test.each([
  ['beside, by the total', { completion_tokens: 10, total_tokens: 200 }],
  ['inside, by the total', { completion_tokens: 100, total_tokens: 200 }],
  ['beside, because it is larger than the completion', { completion_tokens: 10 }],
])('reasoning %s costs the same', (_name, fields) => {
  const usage = normalUsage(
    {
      dialect: 'openai',
      fields: {
        prompt_tokens: 100,
        prompt_tokens_details: { cached_tokens: 20 },
        completion_tokens_details: { reasoning_tokens: 90 },
        ...fields,
      },
    },
    { prompt_tokens: 1, completion_tokens: 1 },
  );
  const cost = costOf(usage, { input: 1.25, output: 2.5, cached_input: 0.2 });
  expect([usage.completion_tokens, usage.reasoning, usdText(cost.pico_usd), cost.estimated]).toEqual([100, 90, '0.000354', false]);
});

test("Gemini's thoughts are paid as output", () => {
  const usage = normalUsage(
    { dialect: 'gemini', fields: { promptTokenCount: 100, candidatesTokenCount: 10, thoughtsTokenCount: 90, totalTokenCount: 200 } },
    { prompt_tokens: 1, completion_tokens: 1 },
  );
  expect(usage.completion_tokens).toBe(100);
  expect(usdText(costOf(usage, { input: 1.25, output: 2.5 }).pico_usd)).toBe('0.000375');
});

describe('the step for long prompts', () => {
  const prices: Prices = {
    input: 3,
    output: 15,
    cached_input: 0.3,
    cache_write_5m: 3.75,
    steps: [{ above_prompt_tokens: 200_000, input: 6, output: 22.5, cached_input: 0.6, cache_write_5m: 7.5 }],
  };
  test('looks at the whole prompt, cache writes included, and holds for all tokens of the call', () => {
    expect(usdCost({ input: 1_000, cache_write_5m: 200_000, output: 1_000 }, prices)).toBe('1.5285');
  });
  test('is not reached by a prompt of just its size', () => {
    expect(usdCost({ input: 1_000, cache_write_5m: 199_000, output: 1_000 }, prices)).toBe('0.76425');
  });
  test('looks at cache reads', () => {
    expect(usdCost({ input: 10, cached_input: 200_001, output: 1 }, prices)).toBe('0.1200831');
  });
  test('is the highest of several that are reached', () => {
    const steps = [
      { above_prompt_tokens: 100, input: 5 },
      { above_prompt_tokens: 300, input: 9 },
      { above_prompt_tokens: 200, input: 7 },
    ];
    expect(usdCost({ input: 250 }, { input: 1, steps })).toBe('0.00175');
    expect(usdCost({ input: 301 }, { input: 1, steps })).toBe('0.002709');
  });
});

describe('service tiers', () => {
  const prices: Prices = {
    input: 2,
    output: 8,
    cached_input: 0.5,
    service_tiers: { flex: { input: 1, output: 4 }, priority: { input: 3.5, output: 14, cached_input: 0.875 } },
  };
  test.each([
    ['flex', '0.0000105'],
    ['priority', '0.000035875'],
    ['default', '0.0000205'],
    [undefined, '0.0000205'],
  ])('%p costs %p', (tier, usd) => {
    expect(usdCost({ input: 2, output: 2, cached_input: 1 }, prices, tier)).toBe(usd);
  });
  test('a tier without known prices costs the plain ones, and the cost is marked', () => {
    const cost = costOf(usageOf({ input: 2 }), prices, { service_tier: 'scale' });
    expect([usdText(cost.pico_usd), cost.estimated]).toEqual(['0.000004', true]);
  });
});

describe('a missing price', () => {
  test.each<[string, Partial<Usage>, Prices | undefined]>([
    ['of everything', { input: 1 }, undefined],
    ['of the output', { output: 1 }, { input: 1 }],
    ['of the cache', { cached_input: 1 }, { input: 1 }],
    ['of searches', { web_searches: 1 }, { input: 1 }],
    ['of audio by the hour', { audio_seconds: 4 }, { input: 1 }],
  ])('%s never looks exact', (_name, usage, prices) => {
    expect(costOf(usageOf(usage), prices).estimated).toBe(true);
  });
  test('of images, audio and reasoning is the plain price of their side, and exact', () => {
    const cost = costOf(usageOf({ image_input: 1, audio_input: 1, video_input: 1, reasoning: 1, audio_output: 1 }), {
      input: 1,
      output: 2,
    });
    expect([cost.pico_usd, cost.estimated]).toEqual([7_000_000n, false]);
  });
});

test.each<[bigint, string]>([
  [0n, '0'],
  [1n, '0.000000000001'],
  [37_500n, '0.0000000375'],
  [1_000_000_000_000n, '1'],
  [123_456_789_012_345_678_900_000n, '123456789012.3456789'],
  [-5n, '-0.000000000005'],
])('%p pico dollars are written as %p', (pico, text) => {
  expect(usdText(pico)).toBe(text);
  expect(usdOf(pico)).toBe(Number(text));
  if (pico >= 0n && pico < 10n ** 20n) expect(picoUsdOf(Number(text))).toBe(pico);
});
