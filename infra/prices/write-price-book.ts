import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as library from '@pydantic/genai-prices';
import type { BookModel, BookProvider, DatedPrices, PriceBook } from '../../lib/ai/pricing/price-book.ts';
import type { PriceStep, Prices } from '../../lib/ai/pricing/prices.ts';
import manifest from '../../node_modules/@pydantic/genai-prices/package.json' with { type: 'json' };

/**
 * Writes the price book out of the library's data: `npm run prices`, after the library was updated. Only what the gateway's providers charge
 * by goes in.
 */
const PROVIDERS = [
  'openai',
  'azure',
  'anthropic',
  'google',
  'groq',
  'together',
  'deepseek',
  'openrouter',
  'mistral',
  'x-ai',
  'fireworks',
  'moonshotai',
  'cohere',
  'aws',
  'cerebras',
];

/** The library's names of prices. All are US dollars for a million tokens, but the last two. */
const NAMES: Record<string, keyof Prices> = {
  input_mtok: 'input',
  cache_read_mtok: 'cached_input',
  cache_write_mtok: 'cache_write_5m',
  cache_write_1h_mtok: 'cache_write_1h',
  input_image_mtok: 'image_input',
  input_audio_mtok: 'audio_input',
  input_video_mtok: 'video_input',
  output_mtok: 'output',
  output_reasoning_mtok: 'reasoning',
  output_image_mtok: 'image_output',
  output_audio_mtok: 'audio_output',
  web_searches_kcount: 'web_search_per_1k',
  input_audio_hours: 'audio_input_per_hour',
};

/** A call to the simulated provider costs nobody anything. It has prices so that budgets and reports can be tried out. */
const SIMULATED: BookProvider = {
  api: 'simulated:',
  models: [{ id: 'simulated', match: { contains: '' }, prices: [{ prices: { input: 1, cached_input: 0.1, output: 2 } }] }],
};

export function buildPriceBook(): PriceBook {
  const found = PROVIDERS.map((id) => library.findProvider({ providerId: id }) ?? fail(`the library has no provider ${id}`));
  const providers = found.map((provider): [string, BookProvider] => [
    provider.id,
    {
      api: provider.api_pattern,
      // Models without a price that is known here stay too: otherwise a later entry would match their ids.
      models: provider.models.map(bookModel),
      ...(provider.fallback_model_providers && { fallbacks: provider.fallback_model_providers.filter((id) => PROVIDERS.includes(id)) }),
    },
  ]);
  return { version: `genai-prices ${manifest.version}`, providers: { ...Object.fromEntries(providers), simulated: SIMULATED } };
}

function fail(message: string): never {
  throw new Error(message);
}

function bookModel({ id, match, prices, context_window }: library.ModelInfo): BookModel {
  const dated = Array.isArray(prices) ? prices.map(datedPrices) : [{ prices: bookPrices(prices) }];
  return { id, match, prices: dated, ...(context_window !== undefined && { context: context_window }) };
}

function datedPrices({ constraint, prices }: library.ConditionalPrice): DatedPrices {
  const converted = { prices: bookPrices(prices) };
  if (constraint === undefined) return converted;
  if (constraint.type === 'start_date') return { ...converted, from: constraint.start_date };
  return { ...converted, daily: [secondOfDay(constraint.start_time), secondOfDay(constraint.end_time)] };
}

function secondOfDay(time: string): number {
  const [, hours, minutes, seconds] = /^(\d{2}):(\d{2}):(\d{2})Z$/.exec(time) ?? fail(`${time} is no time of the UTC day`);
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

function bookPrices(prices: library.ModelPrice): Prices {
  const known = Object.entries(prices).flatMap(([key, price]) => {
    const name = NAMES[key];
    return name === undefined || price === undefined ? [] : [{ name, price }];
  });
  const base = known.map(({ name, price }) => [name, typeof price === 'number' ? price : price.base]);
  const starts = [...new Set(known.flatMap(({ price }) => (typeof price === 'number' ? [] : price.tiers.map(({ start }) => start))))].sort(
    (a, b) => a - b,
  );
  const steps = starts.map((start): PriceStep => {
    // Each step stands for itself, so it also says what an earlier one set.
    const reached = known.flatMap(({ name, price }) => {
      const tier = typeof price === 'number' ? undefined : price.tiers.findLast((one) => one.start <= start);
      return tier === undefined ? [] : [[name, tier.price]];
    });
    return { above_prompt_tokens: start, ...Object.fromEntries(reached) };
  });
  return { ...Object.fromEntries(base), ...(steps.length > 0 && { steps }) };
}

const FILE = new URL('../../lib/ai/pricing/price-book.json', import.meta.url);
/** The book is one text inside the file: the compiler would otherwise work out the type of each of a thousand models. */
export const priceBookFile = (): string => `${JSON.stringify({ content: JSON.stringify(buildPriceBook()) }, null, 2)}\n`;
if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(FILE, priceBookFile());
