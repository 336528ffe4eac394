import type { Clock } from '../../../platform/clock.ts';
import { newUlid } from '../../../platform/ids.ts';
import { findPrices } from '../../pricing/find-prices.ts';
import type { PriceBook } from '../../pricing/price-book.ts';
import { bookModels } from '../catalogue/book-models.ts';
import { createCatalogue, type ModelCatalogue } from '../catalogue/model-catalogue.ts';
import type { PlanRequest, RoutingPlan } from '../plan-types.ts';
import type { ProjectSettings } from '../project-settings.ts';
import { type HealthByProvider, type PlanContext, planAttempts } from './plan-attempts.ts';

export interface Planner {
  catalogue: ModelCatalogue;
  plan(request: PlanRequest, settings: ProjectSettings, health: HealthByProvider, random: () => number): RoutingPlan;
}

/** Plans with the price book that comes with the product, as of now. */
export function createPlanner({ book, clock }: { book: PriceBook; clock: Pick<Clock, 'nowMs'> }): Planner {
  const catalogue = createCatalogue(bookModels(book));
  const pricesOf: PlanContext['pricesOf'] = (settings, provider, model, at_ms) =>
    findPrices(book, { overrides: settings.prices, provider, model, at_ms });
  return {
    catalogue,
    plan(request, settings, health, random) {
      const at_ms = clock.nowMs();
      return planAttempts(request, settings, health, random, { decision_id: newDecisionId(at_ms), at_ms, catalogue, pricesOf });
    },
  };
}

export const newDecisionId = (nowMs: number): string => `rd_${newUlid(nowMs)}`;
