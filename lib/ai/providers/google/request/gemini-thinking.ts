import type { GeminiFamily } from '../gemini-family.ts';

/** Google's own translation of OpenAI's efforts, as its OpenAI-compatible endpoint documents it. */
const BUDGETS: Readonly<Record<string, number>> = { minimal: 1_024, low: 1_024, medium: 8_192, high: 24_576, xhigh: 32_768, max: 32_768 };
/** The budgets that each tier of generation 2.5 takes. */
const RANGES = {
  pro: { least: 128, most: 32_768 },
  flash: { least: 1, most: 24_576 },
  'flash-lite': { least: 512, most: 24_576 },
} as const;

export interface Thinking {
  config?: Record<string, unknown>;
  warning?: string;
}

/**
 * The `thinkingConfig` for OpenAI's `reasoning_effort`. Without an effort the model decides by itself, as Google's API does. Thinking counts
 * as output, so a budget takes at most half of the caller's limit.
 */
export function thinkingConfig(effort: unknown, family: GeminiFamily, limit: number | undefined): Thinking {
  if (typeof effort !== 'string' || effort === 'auto' || effort === 'default') return {};
  if (effort !== 'none' && BUDGETS[effort] === undefined) {
    return { warning: `reasoning_effort: '${effort.slice(0, 40)}' is not known for this model and was left out` };
  }
  switch (family.thinking) {
    case 'none':
      return effort === 'none' ? {} : { warning: 'reasoning_effort: this model has no setting for reasoning; the hint was left out' };
    case 'level':
      return level(effort, family);
    case 'budget':
      return budget(effort, family, limit);
  }
}

function level(effort: string, { levels }: GeminiFamily): Thinking {
  const least = levels[0] ?? 'low';
  if (effort === 'none') {
    return {
      config: { thinkingLevel: least },
      warning: `reasoning_effort: reasoning of this model can't be switched off; '${least}' was sent`,
    };
  }
  const wanted = effort === 'xhigh' || effort === 'max' ? 'high' : effort;
  const known = levels.find((name) => name === wanted);
  return { config: { thinkingLevel: known ?? (wanted === 'minimal' ? least : 'high'), includeThoughts: true } };
}

function budget(effort: string, { tier }: GeminiFamily, limit: number | undefined): Thinking {
  const { least, most } = RANGES[tier];
  const canStop = tier !== 'pro';
  if (effort === 'none') {
    if (canStop) return { config: { thinkingBudget: 0 } };
    return {
      config: { thinkingBudget: least },
      warning: `reasoning_effort: reasoning of this model can't be switched off; the least budget was sent`,
    };
  }
  const wanted = Math.min(BUDGETS[effort] ?? most, most);
  const allowed = limit === undefined ? wanted : Math.min(wanted, Math.floor(limit / 2));
  if (allowed >= Math.max(least, limit === undefined ? 0 : 64)) return { config: { thinkingBudget: allowed, includeThoughts: true } };
  return {
    config: { thinkingBudget: canStop ? 0 : least },
    warning: `reasoning_effort: the limit of ${limit} tokens leaves no room for reasoning; the request went ${canStop ? 'without' : 'with the least'}`,
  };
}
