import { expect, test } from '@jest/globals';
import { usdText } from '../../../lib/ai/pricing/pico-usd.ts';
import type { Prices } from '../../../lib/ai/pricing/prices.ts';
import { type UpperCostOptions, upperCostOf } from '../../../lib/ai/pricing/upper-cost.ts';

const PLAIN: Prices = { input: 3, cached_input: 0.3, cache_write_5m: 3.75, cache_write_1h: 6, output: 15, audio_input: 40 };
const STEPPED: Prices = { ...PLAIN, steps: [{ above_prompt_tokens: 200_000, input: 6, cache_write_5m: 7.5, output: 22.5 }] };
const TIERED: Prices = { input: 1, output: 2, service_tiers: { flex: { input: 0.5, output: 1 }, priority: { input: 2, output: 4 } } };
const million = (more: Partial<UpperCostOptions>): UpperCostOptions => ({ prompt_tokens: 0, output_tokens: 0, ...more });

test.each<[string, Prices | undefined, UpperCostOptions, string]>([
  ['the prompt may be written to a cache', PLAIN, million({ prompt_tokens: 1_000_000 }), '3.75'],
  ['the prompt may be written for an hour', PLAIN, million({ prompt_tokens: 1_000_000, long_cache: true }), '6'],
  ['an hour without a price is twice the input', { input: 3 }, million({ prompt_tokens: 1_000_000, long_cache: true }), '6'],
  ['a prompt with sound', PLAIN, million({ prompt_tokens: 1_000_000, media: true }), '40'],
  [
    'the step that the prompt reaches holds for the answer too',
    STEPPED,
    million({ prompt_tokens: 200_001, output_tokens: 1_000_000 }),
    '24.0000075',
  ],
  ['a prompt just below the step', STEPPED, million({ prompt_tokens: 200_000, output_tokens: 1_000_000 }), '15.75'],
  ['without a wish the dearest tier may serve', TIERED, million({ output_tokens: 1_000_000 }), '4'],
  ['auto is no wish', TIERED, million({ output_tokens: 1_000_000, service_tier: 'auto' }), '4'],
  ['the plain tier was asked for', TIERED, million({ output_tokens: 1_000_000, service_tier: 'default' }), '2'],
  ['a cheap tier may be refused, and the plain one serves', TIERED, million({ output_tokens: 1_000_000, service_tier: 'flex' }), '2'],
  ['a price for the request', { per_request: 0.01 }, million({}), '0.01'],
  ['nobody knows the prices', undefined, million({ prompt_tokens: 9 }), '0'],
])('the most that a call can cost: %s', (_name, prices, options, usd) => {
  expect(usdText(upperCostOf(prices, options))).toBe(usd);
});
