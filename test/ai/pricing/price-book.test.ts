import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import * as library from '@pydantic/genai-prices';
import { priceBookFile } from '../../../infra/prices/write-price-book.ts';
import { costOf } from '../../../lib/ai/pricing/cost.ts';
import { findPrices, type PriceQuestion } from '../../../lib/ai/pricing/find-prices.ts';
import { loadPriceBook } from '../../../lib/ai/pricing/price-book.ts';
import { NO_USAGE, type Usage } from '../../../lib/ai/pricing/usage.ts';

const book = await loadPriceBook();

/** The providers of the comparison, as an organization would configure them. */
const PROVIDERS: Record<string, PriceQuestion['provider']> = {
  openai: { provider_id: 'openai', type: 'openai', base_url: 'https://api.openai.com/v1', models: [] },
  azure: { provider_id: 'azure', type: 'azure', base_url: 'https://x.openai.azure.com', models: [] },
  anthropic: { provider_id: 'claude', type: 'anthropic', base_url: 'https://api.anthropic.com/v1', models: [] },
  google: { provider_id: 'gemini', type: 'google', base_url: 'https://generativelanguage.googleapis.com/v1beta', models: [] },
  groq: { provider_id: 'a', type: 'openai-compatible', base_url: 'https://api.groq.com/openai/v1', models: [] },
  together: { provider_id: 'b', type: 'openai-compatible', base_url: 'https://api.together.xyz/v1', models: [] },
  deepseek: { provider_id: 'c', type: 'openai-compatible', base_url: 'https://api.deepseek.com', models: [] },
  openrouter: { provider_id: 'd', type: 'openai-compatible', base_url: 'https://openrouter.ai/api/v1', models: [] },
  mistral: { provider_id: 'e', type: 'openai-compatible', base_url: 'https://api.mistral.ai/v1', models: [] },
  'x-ai': { provider_id: 'f', type: 'openai-compatible', base_url: 'https://api.x.ai/v1', models: [] },
};

/** A small random generator with a seed, so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Ids that reach a model: its own, and those that its rules name. */
const idsOf = (match: library.MatchLogic): string[] => {
  if ('or' in match) return match.or.flatMap(idsOf);
  if ('equals' in match) return [match.equals];
  if ('starts_with' in match) return [match.starts_with, `${match.starts_with}-20250806`];
  if ('contains' in match) return [match.contains];
  return [];
};
const QUESTIONS = Object.entries(PROVIDERS).flatMap(([name, provider]) =>
  (library.findProvider({ providerId: name })?.models ?? []).flatMap(({ id, match }) =>
    [id, ...idsOf(match)].map((model) => ({ name, provider, model })),
  ),
);

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.parse('2025-01-01');

test('ten thousand random usages cost what the library says, but for the rounding of each class', () => {
  const random = seeded(20_261_126);
  const upTo = (most: number) => Math.floor(random() * most);
  const differences: unknown[] = [];
  let compared = 0;
  while (compared < 10_000) {
    const { name, provider, model } = QUESTIONS[upTo(QUESTIONS.length)] ??
      QUESTIONS[0] ?? { name: '', provider: PROVIDERS.openai, model: '' };
    if (!provider) continue;
    const at_ms = FIRST_DAY_MS + upTo(800 * DAY_MS);
    const found = findPrices(book, { overrides: [], provider, model, at_ms });
    const size = 10 ** upTo(7);
    const some = () => (random() < 0.5 ? 0 : upTo(size));
    const classes = {
      input: upTo(size),
      cached_input: some(),
      cache_write_5m: some(),
      // Without a price for it the library takes the price of five minutes, we twice the input.
      cache_write_1h: found?.prices.cache_write_1h === undefined ? 0 : some(),
      image_input: some(),
      audio_input: some(),
      output: upTo(size),
      reasoning: some(),
      audio_output: some(),
      web_searches: random() < 0.9 ? 0 : upTo(5),
    };
    const usage: Usage = {
      ...NO_USAGE,
      ...classes,
      prompt_tokens:
        classes.input + classes.cached_input + classes.cache_write_5m + classes.cache_write_1h + classes.image_input + classes.audio_input,
      completion_tokens: classes.output + classes.reasoning + classes.audio_output,
    };
    const theirs = library.calcPrice(
      {
        input_tokens: usage.prompt_tokens,
        cache_read_tokens: classes.cached_input,
        cache_write_tokens: classes.cache_write_5m + classes.cache_write_1h,
        cache_write_1h_tokens: classes.cache_write_1h,
        input_image_tokens: classes.image_input,
        input_audio_tokens: classes.audio_input,
        cache_audio_read_tokens: 0,
        cache_image_read_tokens: 0,
        output_tokens: usage.completion_tokens,
        output_reasoning_tokens: classes.reasoning,
        output_audio_tokens: classes.audio_output,
        web_searches: classes.web_searches,
      },
      model,
      { providerId: name, timestamp: new Date(at_ms) },
    );
    const cost = costOf(usage, found?.prices);
    const pico = Math.round((theirs?.total_price ?? 0) * 1e12);
    const rounded = Object.keys(cost.by_class).length;
    if ((theirs === null) !== (found === undefined) || Math.abs(Number(cost.pico_usd) - pico) > rounded) {
      differences.push({
        name,
        model,
        at: new Date(at_ms).toISOString(),
        classes,
        ours: cost.pico_usd,
        theirs: pico,
        prices: found?.prices,
      });
    }
    compared += 1;
  }
  expect(differences.slice(0, 3)).toEqual([]);
});

test('the price book that comes with the product is the one that the library gives', async () => {
  expect(await readFile(new URL('../../../lib/ai/pricing/price-book.json', import.meta.url), 'utf8')).toBe(priceBookFile());
});

describe('which prices hold', () => {
  const openai = PROVIDERS.openai ?? { provider_id: 'openai', type: 'openai' as const, base_url: '', models: [] };
  const question = (more: Partial<PriceQuestion>): PriceQuestion => ({
    overrides: [],
    provider: openai,
    model: 'o3',
    at_ms: Date.parse('2026-01-01'),
    ...more,
  });

  test('prices hold from their day on, as of the start of the request', () => {
    const input = (at: string) => findPrices(book, question({ at_ms: Date.parse(at) }))?.prices.input;
    expect([input('2025-06-09T23:59:59.999Z'), input('2025-06-10T00:00:00Z')]).toEqual([10, 2]);
  });

  test('prices of some hours of the day hold in them', () => {
    const deepseek = PROVIDERS.deepseek ?? openai;
    const input = (at: string) =>
      findPrices(book, question({ provider: deepseek, model: 'deepseek-chat', at_ms: Date.parse(at) }))?.prices.input;
    expect([input('2025-03-01T00:29:59Z'), input('2025-03-01T00:30:00Z'), input('2025-03-01T16:30:00Z')]).toEqual([0.135, 0.27, 0.135]);
  });

  test('the latest override that is in force wins over the configured prices, and these over the book', () => {
    const override = (id: string, from: string, input: number) => ({
      id,
      provider: 'openai',
      model: 'o3',
      prices: { input },
      valid_from_ms: Date.parse(from),
    });
    const overrides = [override('b', '2025-12-01', 5), override('a', '2025-11-01', 4), override('c', '2026-02-01', 6)];
    const configured = { ...openai, models: [{ id: 'o3', prices: { input: 3 } }] };
    expect(findPrices(book, question({ overrides, provider: configured }))).toEqual({ prices: { input: 5 }, source: 'override b' });
    expect(findPrices(book, question({ provider: configured }))).toEqual({ prices: { input: 3 }, source: 'provider' });
    expect(findPrices(book, question({}))).toMatchObject({ prices: { input: 2, output: 8 }, source: `book ${book.version}` });
  });

  test('an override of another provider or model changes nothing', () => {
    const overrides = [
      { id: 'x', provider: 'azure', model: 'o3', prices: { input: 9 }, valid_from_ms: 0 },
      { id: 'y', provider: 'openai', model: 'o4', prices: { input: 9 }, valid_from_ms: 0 },
    ];
    expect(findPrices(book, question({ overrides }))?.prices.input).toBe(2);
  });

  test('a provider at an unknown address has the prices of its id, and an unknown model has none', () => {
    const proxy = { provider_id: 'groq', type: 'openai-compatible' as const, base_url: 'https://llm.example.com/v1', models: [] };
    expect(findPrices(book, question({ provider: proxy, model: 'llama-3.1-8b-instant' }))?.prices.input).toBeGreaterThan(0);
    expect(findPrices(book, question({ provider: { ...proxy, provider_id: 'constructor' } }))).toBeUndefined();
    expect(findPrices(book, question({ model: 'no-such-model' }))).toBeUndefined();
  });

  test('a step of the book holds for all classes of the call', () => {
    const claude = PROVIDERS.anthropic ?? openai;
    const prices = findPrices(book, question({ provider: claude, model: 'claude-sonnet-4-5-20250929' }))?.prices;
    expect(prices?.steps).toEqual([
      { above_prompt_tokens: 200_000, input: 6, cached_input: 0.6, cache_write_5m: 7.5, cache_write_1h: 12, output: 22.5 },
    ]);
  });

  test('simulated models have prices, so that budgets can be tried out', () => {
    const simulated = { provider_id: 'simulated', type: 'simulated' as const, base_url: '', models: [] };
    expect(findPrices(book, question({ provider: simulated, model: 'fast' }))?.prices).toMatchObject({ input: 1, output: 2 });
  });
});
