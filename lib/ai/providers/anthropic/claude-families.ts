/** An answer to the request's wish not to think: leave `thinking` out, send this type, or nothing helps because the model always thinks. */
type ThinkingOff = 'omit' | 'disabled' | 'between_tools' | 'never';

/**
 * What a generation of Claude models takes. Source: Anthropic's pages on thinking, effort, structured outputs and migration, read in
 * November 2026. docs/guides/reasoning.md shows the same table.
 */
export interface ClaudeFamily {
  /** `budget`: a number of tokens. `adaptive`: the model decides, guided by an effort. */
  thinking: 'none' | 'budget' | 'adaptive';
  off: ThinkingOff;
  /** The model thinks although the request doesn't ask for it. */
  thinksByDefault: boolean;
  /** The levels of `output_config.effort`, the lowest first; empty if the model takes none. */
  efforts: readonly string[];
  /** `both`: temperature and top_p. `one`: not both at once. `none`: the model refuses them all. */
  sampling: 'both' | 'one' | 'none';
  /** The model may be forced to call a tool. */
  forcedTools: boolean;
  /** `output_config.format` and strict tools: answers that are held to a JSON schema. */
  jsonSchema: boolean;
}

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];

const EARLY: ClaudeFamily = {
  thinking: 'none',
  off: 'omit',
  thinksByDefault: false,
  efforts: [],
  sampling: 'both',
  forcedTools: true,
  jsonSchema: false,
};
const BUDGET: ClaudeFamily = { ...EARLY, thinking: 'budget' };
const BUDGET_4_1: ClaudeFamily = { ...BUDGET, sampling: 'one' };
const BUDGET_4_5: ClaudeFamily = { ...BUDGET_4_1, jsonSchema: true };
const ADAPTIVE_4_6: ClaudeFamily = { ...BUDGET_4_5, thinking: 'adaptive', efforts: ['low', 'medium', 'high', 'max'] };
const ADAPTIVE_4_7: ClaudeFamily = { ...ADAPTIVE_4_6, efforts: EFFORTS, sampling: 'none' };
const ADAPTIVE_5: ClaudeFamily = { ...ADAPTIVE_4_7, thinksByDefault: true, off: 'disabled' };
const ALWAYS_5: ClaudeFamily = { ...ADAPTIVE_5, off: 'never' };
const ALWAYS_5_1: ClaudeFamily = { ...ALWAYS_5, forcedTools: false };
const SONNET_5_5: ClaudeFamily = { ...ALWAYS_5_1, off: 'between_tools' };

const NAME = /claude-(?:(\d+)[-.]?(\d)?-)?(opus|sonnet|haiku|instant|fable|mythos)(?:-(\d{1,2})(?:[-.](\d{1,2}))?)?(?![\d])/;

/** The family of a model by its id. An unknown Claude counts as the newest; a model of another maker on this wire as one with a budget. */
export function claudeFamily(model: string): ClaudeFamily {
  const found = NAME.exec(model.toLowerCase());
  if (!found) return /claude-(?:2|v)/i.test(model) ? EARLY : /claude/i.test(model) ? ALWAYS_5_1 : BUDGET;
  const [, before, beforeMinor, line, after, afterMinor] = found;
  // 4.10 would be newer than 4.9, so the parts are not read as one decimal number.
  const version = Number(after ?? before ?? 99) * 100 + Number(afterMinor ?? beforeMinor ?? 0);
  if (line === 'instant' || version < 307) return EARLY;
  if (line === 'fable' || line === 'mythos') return version < 501 ? ALWAYS_5 : ALWAYS_5_1;
  if (version < 401) return BUDGET;
  if (version < 405) return BUDGET_4_1;
  if (version < 406) return BUDGET_4_5;
  if (version < 407) return ADAPTIVE_4_6;
  if (version < 500) return ADAPTIVE_4_7;
  if (version < 505 || line === 'haiku') return ADAPTIVE_5;
  return line === 'sonnet' ? SONNET_5_5 : ALWAYS_5_1;
}
