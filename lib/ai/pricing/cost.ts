import { type ExactDecimal, exactDecimal, roundedProduct } from './exact-decimal.ts';
import type { Cost, Prices, TokenPrices } from './prices.ts';
import type { TokenClass, Usage } from './usage.ts';

export interface CostOptions {
  /** The tier that served the call; the one that was asked for if the answer names none. */
  service_tier?: string | null | undefined;
}

/** One token at a price for a million of them, in 10⁻¹² US dollars: 10¹² ÷ 10⁶. */
const PICO_PER_TOKEN = 6;
const PICO_PER_USD = 12;
/** Searches are priced by the thousand. */
const PICO_PER_SEARCH = 9;
const SECONDS_PER_HOUR = 3_600n;
/** Only Anthropic has writes for an hour. They cost twice the input there, whatever the model. */
const HOUR_WRITE_FACTOR = 2n;

const INPUT_CLASSES = ['input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'image_input', 'audio_input', 'video_input'] as const;
const OUTPUT_CLASSES = ['output', 'reasoning', 'image_output', 'audio_output'] as const;
const SIDES = [
  { plain: 'input', classes: INPUT_CLASSES },
  { plain: 'output', classes: OUTPUT_CLASSES },
] as const;
/** An absent price of these means that the plain price holds. An absent price of any other class means that nobody knows it. */
const PLAIN_BY_CUSTOM: ReadonlySet<TokenClass> = new Set([
  'image_input',
  'audio_input',
  'video_input',
  'reasoning',
  'image_output',
  'audio_output',
]);
const PLAIN_TIERS: ReadonlySet<string> = new Set(['', 'auto', 'default', 'standard', 'standard_only', 'on_demand']);

/**
 * The exact cost of a call: each class of its usage is multiplied by its price first, then rounded once, half to even. A price that is
 * missing or derived, and usage that is an estimate, mark the cost as estimated.
 */
export function costOf(usage: Usage, prices: Prices | undefined, { service_tier }: CostOptions = {}): Cost {
  const { token, known } = pricesInForce(prices, usage.prompt_tokens, service_tier);
  const by_class: Cost['by_class'] = {};
  let estimated = usage.estimated || !known;
  let sum = 0n;
  const add = (name: keyof Cost['by_class'], pico: bigint) => {
    by_class[name] = pico;
    sum += pico;
  };

  for (const { plain, classes } of SIDES) {
    for (const name of classes) {
      const tokens = usage[name];
      if (tokens === 0) continue;
      const price = token[name] ?? token[plain];
      if (token[name] === undefined && !(price !== undefined && PLAIN_BY_CUSTOM.has(name))) estimated = true;
      if (price === undefined) continue;
      const derived = name === 'cache_write_1h' && token.cache_write_1h === undefined;
      add(
        name,
        roundedProduct({ digits: BigInt(tokens) * (derived ? HOUR_WRITE_FACTOR : 1n), exponent: 0 }, decimalOf(price), PICO_PER_TOKEN),
      );
    }
  }
  if (prices?.per_request !== undefined)
    add('per_request', roundedProduct({ digits: 1n, exponent: 0 }, decimalOf(prices.per_request), PICO_PER_USD));
  if (usage.web_searches > 0) {
    if (prices?.web_search_per_1k === undefined) estimated = true;
    else add('web_search', roundedProduct(decimalOf(usage.web_searches), decimalOf(prices.web_search_per_1k), PICO_PER_SEARCH));
  }
  // Seconds beside tokens say the same thing twice; only a price by the hour makes them count.
  if (usage.audio_seconds > 0 && prices?.audio_input_per_hour !== undefined) {
    add(
      'audio_seconds',
      roundedProduct(exactDecimal(usage.audio_seconds), decimalOf(prices.audio_input_per_hour), PICO_PER_USD, SECONDS_PER_HOUR),
    );
  } else if (usage.audio_seconds > 0 && usage.prompt_tokens === 0) estimated = true;
  return { pico_usd: sum, by_class, estimated };
}

/** The token prices of a call: the plain ones, those of the step that its whole prompt reached, those of the tier that served it. */
export function pricesInForce(
  prices: Prices | undefined,
  promptTokens: number,
  serviceTier: string | null | undefined,
): { token: TokenPrices; known: boolean } {
  if (prices === undefined) return { token: {}, known: false };
  const step = stepFor(prices.steps, promptTokens);
  const plain = { ...prices, ...step };
  if (PLAIN_TIERS.has(serviceTier ?? '')) return { token: plain, known: true };
  const tier = prices.service_tiers?.[serviceTier ?? ''];
  if (tier === undefined) return { token: plain, known: false };
  const tierStep = stepFor(tier.steps, promptTokens);
  // A tier that says nothing of the step has no known price above it.
  return { token: { ...plain, ...tier, ...tierStep }, known: step === undefined || tierStep !== undefined };
}

const stepFor = (steps: Prices['steps'], promptTokens: number) =>
  steps
    ?.filter(({ above_prompt_tokens }) => promptTokens > above_prompt_tokens)
    .reduce<(typeof steps)[number] | undefined>(
      (highest, step) => (highest && highest.above_prompt_tokens > step.above_prompt_tokens ? highest : step),
      undefined,
    );

const MOST_DECIMALS = 4_096;
const decimals = new Map<number, ExactDecimal>();
/** Prices are few and used again with each call. */
function decimalOf(value: number): ExactDecimal {
  const known = decimals.get(value);
  if (known) return known;
  const decimal = exactDecimal(value);
  if (decimals.size >= MOST_DECIMALS) decimals.clear();
  decimals.set(value, decimal);
  return decimal;
}
