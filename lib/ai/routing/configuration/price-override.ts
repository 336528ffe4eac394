import * as z from 'zod';
import type { Prices } from '../../pricing/prices.ts';
import type { PriceOverride } from '../project-settings.ts';

/** US dollars. The largest price is far above any real one; it keeps sums within exact numbers. */
const price = z.number().min(0).max(1_000_000).exactOptional();

const tokenPrices = {
  input: price,
  cached_input: price,
  cache_write_5m: price,
  cache_write_1h: price,
  output: price,
  reasoning: price,
  image_input: price,
  image_output: price,
  audio_input: price,
  audio_output: price,
  video_input: price,
};
const steps = z
  .array(z.strictObject({ above_prompt_tokens: z.int().min(1).max(100_000_000), ...tokenPrices }))
  .max(10)
  .exactOptional();
const members = {
  ...tokenPrices,
  audio_input_per_hour: price,
  per_request: price,
  web_search_per_1k: price,
  service_tiers: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/), z.strictObject({ ...tokenPrices, steps }))
    .refine((tiers) => Object.keys(tiers).length <= 10, 'must have at most 10 tiers')
    .exactOptional(),
  steps,
};
const Currency = z.literal('USD');
const Unit = z.literal('per_1m_tokens');

/** The prices of a model of a provider. There is only one currency and one unit, which may be named. */
export const ModelPrices = z
  .strictObject({ ...members, currency: Currency.exactOptional(), unit: Unit.exactOptional() })
  .meta({ id: 'ModelPrices' });

/** Prices as costs are computed from them, without the names of their unit. */
export function plainPrices({ currency: _currency, unit: _unit, ...prices }: z.infer<typeof ModelPrices>): Prices {
  return prices;
}

export const NewPriceOverride = z
  .strictObject({
    provider: z.string().min(1).max(63),
    model: z.string().regex(/^[^\s\p{Cc}]{1,200}$/u),
    currency: Currency,
    unit: Unit,
    ...members,
    input: z.number().min(0).max(1_000_000),
    output: z.number().min(0).max(1_000_000),
    valid_from: z.iso.datetime({ offset: true }).exactOptional(),
  })
  .meta({ id: 'NewPriceOverride' });
export type NewPriceOverride = z.infer<typeof NewPriceOverride>;

/** An override as it is stored and answered. */
export const StoredPriceOverride = z.object({
  ...NewPriceOverride.shape,
  organization_id: z.string(),
  id: z.string(),
  valid_from: z.iso.datetime(),
  created_at: z.iso.datetime(),
});
export type StoredPriceOverride = z.infer<typeof StoredPriceOverride>;

/** The form in which costs are computed from it. */
export function usableOverride(stored: StoredPriceOverride): PriceOverride {
  const { organization_id: _organization, id, provider, model, currency, unit, valid_from, created_at: _created, ...prices } = stored;
  return { id, provider, model, prices: plainPrices({ currency, unit, ...prices }), valid_from_ms: Date.parse(valid_from) };
}
