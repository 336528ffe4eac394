import type { ChatMessage, ChatRequest, Json, JsonObject } from '../../wire/chat.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import type { ClaudeFamily } from './claude-families.ts';

/** The least budget that Anthropic takes. */
const LEAST_BUDGET = 1_024;
/** Tokens of thinking for each effort, for models that take a budget. docs/guides/reasoning.md has the same table. */
const BUDGETS: Readonly<Record<string, number>> = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384, xhigh: 32_768, max: 32_768 };
/** An answer needs room beside its thinking: no more than three quarters of the limit are spent on thinking. */
const MOST_OF_THE_LIMIT = 0.75;

export interface ThinkingPlan {
  /** The member `thinking`, if it is sent. */
  thinking?: Json;
  /** The member `output_config.effort`, if it is sent. */
  effort?: string;
  /** Signed blocks of the history are sent along. Anthropic refuses some of them in a request that doesn't think. */
  replay: boolean;
  /** The answer is thought about, so that temperature and top_p must keep their defaults. */
  on: boolean;
}

export interface ThinkingWishes {
  maxTokens: number;
  /** The request forces a tool, or the gateway does for a JSON schema. */
  forcedTool: boolean;
}

/** Decides if and how the model thinks. Explicit wishes of the request win over the hint `reasoning_effort`. */
export function planThinking(
  request: ChatRequest,
  family: ClaudeFamily,
  { maxTokens, forcedTool }: ThinkingWishes,
  warn: (text: string) => void,
): ThinkingPlan {
  if (isJsonObject(request.thinking)) return callersOwn(request.thinking, request, family);
  const asked = request.reasoning_effort ?? (isJsonObject(request.reasoning) ? request.reasoning.effort : undefined);
  if (typeof asked !== 'string') return { replay: family.thinksByDefault, on: family.thinksByDefault };
  if (asked === 'none') return without(family, undefined, () => warn("reasoning_effort 'none' was left out: this model always thinks"));
  if (family.thinking === 'none') {
    warn('reasoning_effort was left out: this model does not think');
    return { replay: false, on: false };
  }
  const reason = reasonAgainst(request, family, maxTokens, forcedTool);
  const effort = levelFor(asked, family);
  if (reason !== undefined) {
    if (family.off === 'never') warn(`this model always thinks, although ${reason}`);
    else warn(`the request was sent without thinking: ${reason}`);
    return without(family, effort);
  }
  if (family.thinking === 'adaptive') {
    return { thinking: { type: 'adaptive', display: 'summarized' }, ...(effort !== undefined && { effort }), replay: true, on: true };
  }
  const wanted = BUDGETS[asked] ?? BUDGETS.medium ?? LEAST_BUDGET;
  const budget_tokens = Math.min(wanted, Math.max(LEAST_BUDGET, Math.floor(maxTokens * MOST_OF_THE_LIMIT)));
  return { thinking: { type: 'enabled', budget_tokens }, replay: true, on: true };
}

/** The member `thinking` is Anthropic's own. A caller who sends it knows what the model takes. */
function callersOwn(thinking: JsonObject, request: ChatRequest, family: ClaudeFamily): ThinkingPlan {
  const on = thinking.type !== 'disabled';
  const asked = request.reasoning_effort;
  const effort = typeof asked === 'string' && asked !== 'none' ? levelFor(asked, family) : undefined;
  return { thinking, ...(effort !== undefined && { effort }), replay: on, on };
}

function without(family: ClaudeFamily, effort: string | undefined, cannot?: () => void): ThinkingPlan {
  // Anthropic takes no effort above `high` from a request that turns thinking off.
  const capped = effort === 'xhigh' || effort === 'max' ? 'high' : effort;
  switch (family.off) {
    case 'omit':
      return { ...(capped !== undefined && { effort: capped }), replay: false, on: false };
    case 'never':
      cannot?.();
      return { ...(effort !== undefined && { effort }), replay: true, on: true };
    case 'between_tools':
      return { thinking: { type: 'between_tools' }, ...(capped !== undefined && { effort: capped }), replay: true, on: true };
    case 'disabled':
      return { thinking: { type: 'disabled' }, ...(capped !== undefined && { effort: capped }), replay: false, on: false };
  }
}

function levelFor(asked: string, { efforts }: ClaudeFamily): string | undefined {
  if (efforts.length === 0) return undefined;
  if (asked === 'minimal') return efforts[0];
  if (asked === 'xhigh' && !efforts.includes('xhigh')) return 'high';
  return efforts.includes(asked) ? asked : 'medium';
}

function reasonAgainst(request: ChatRequest, family: ClaudeFamily, maxTokens: number, forcedTool: boolean): string | undefined {
  if (forcedTool) return 'it forces a tool';
  if (family.sampling !== 'none') {
    const sampling = ['temperature', 'top_p', 'top_k'].find((name) => isSet(request[name]) && !(request[name] === 1 && name !== 'top_k'));
    if (sampling !== undefined) return `it sets ${sampling}`;
  }
  if (family.thinking === 'budget' && maxTokens <= LEAST_BUDGET) return `its limit of ${maxTokens} tokens is too low for a budget`;
  if (toolTurnWithoutBlocks(request.messages)) return 'the history of its tool calls came back without the signed thinking blocks';
  return undefined;
}

const isSet = (value: unknown) => value !== undefined && value !== null;

/** Anthropic wants the turn that called the tools to begin with its signed block if the model goes on thinking. */
function toolTurnWithoutBlocks(messages: readonly ChatMessage[]): boolean {
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(lastUser + 1).some((message) => hasCalls(message) && thinkingBlocks(message).length === 0);
}

const hasCalls = ({ role, tool_calls }: ChatMessage) => role === 'assistant' && Array.isArray(tool_calls) && tool_calls.length > 0;

/** The signed and redacted blocks that came back with a message, as Anthropic wants them. Those of other providers are left out. */
export function thinkingBlocks({ reasoning_details }: ChatMessage): JsonObject[] {
  if (!Array.isArray(reasoning_details)) return [];
  return reasoning_details.flatMap((detail): JsonObject[] => {
    if (!isJsonObject(detail)) return [];
    const { type, text, signature, data } = detail;
    if (type === 'thinking' && typeof signature === 'string' && signature !== '') {
      return [{ type, thinking: typeof text === 'string' ? text : '', signature }];
    }
    return type === 'redacted_thinking' && typeof data === 'string' && data !== '' ? [{ type, data }] : [];
  });
}
