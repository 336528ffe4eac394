import type { ChatRequest, Json, JsonObject } from '../../wire/chat.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { withoutLegacyFunctions } from '../../wire/legacy-functions.ts';
import { type ChatCall, reservedOutputTokens, type Target } from '../adapter.ts';
import { isBlank } from './anthropic-content.ts';
import { conversation } from './anthropic-messages.ts';
import { planThinking, type ThinkingPlan } from './anthropic-thinking.ts';
import { toolMembers } from './anthropic-tools.ts';
import { type ClaudeFamily, claudeFamily } from './claude-families.ts';

/** Anthropic wants a limit. This is sent if neither the request nor the model's configuration has one. */
export const DEFAULT_MAX_TOKENS = 4_096;

/** Anthropic's own members pass as they are, for callers who know them. */
const PASSED = ['top_k', 'container', 'context_management', 'mcp_servers', 'inference_geo', 'speed', 'cache_control'];
/** Members of OpenAI's request that Anthropic has nothing for. A value that changes nothing needs no warning. */
const DROPPED = [
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'seed',
  'prediction',
  'audio',
  'web_search_options',
];

export interface AnthropicRequest {
  body: JsonObject;
  warnings: string[];
}

/** Anthropic's request for OpenAI's. Throws an AppError that names the parameter if Anthropic can't be asked this. */
export function anthropicRequest(call: ChatCall, target: Target): AnthropicRequest {
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const request = withoutLegacyFunctions(call.request, warn);
  const family = claudeFamily(target.model);
  const defaultLimit = reservedOutputTokens(call, target) ?? target.max_output_tokens ?? DEFAULT_MAX_TOKENS;
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? defaultLimit;
  const { tools, tool_choice, format, instructions, forced } = toolMembers(request, family, warn);
  const thinking = planThinking(request, family, { maxTokens, forcedTool: forced }, warn);
  const { system, turns } = conversation(request.messages, { replayThinking: thinking.replay, warn });
  const output = outputConfig(request.output_config, thinking.effort, format);
  warnOfDropped(request, warn);

  const body: JsonObject = {
    model: target.model,
    max_tokens: maxTokens,
    ...systemMember(system, instructions),
    messages: turns.map(({ role, content }) => ({ role, content: singleText(content) ?? content })),
    ...(tools && { tools }),
    ...(tool_choice && { tool_choice }),
    ...(thinking.thinking !== undefined && { thinking: thinking.thinking }),
    ...(output && { output_config: output }),
    ...sampling(request, family, thinking, warn),
    ...stopSequences(request.stop),
    ...userMember(request),
    ...serviceTier(request.service_tier, warn),
    ...(request.stream === true && { stream: true }),
  };
  for (const name of PASSED) {
    const value = request[name];
    if (value !== undefined && value !== null && !(name === 'top_k' && (family.sampling === 'none' || thinking.on)))
      body[name] = asJson(value);
  }
  return { body, warnings: [...warnings] };
}

/** The request came as JSON, so its members are JSON. */
const asJson = (value: unknown) => value as Json;

const singleText = ([first, second]: JsonObject[]) =>
  first?.type === 'text' && second === undefined && first.cache_control === undefined ? first.text : undefined;

function systemMember(system: JsonObject[], instructions: string[]): JsonObject {
  const blocks = [...system, ...instructions.map((text) => ({ type: 'text', text }))];
  if (blocks.length === 0) return {};
  const isPlain = blocks.every((block) => block.type === 'text' && !('cache_control' in block));
  return { system: isPlain ? blocks.map(({ text }) => String(text)).join('\n\n') : blocks };
}

function outputConfig(own: unknown, effort: string | undefined, format: JsonObject | undefined): JsonObject | undefined {
  const config: JsonObject = { ...(effort !== undefined && { effort }), ...(format && { format }), ...(isJsonObject(own) && own) };
  return Object.keys(config).length > 0 ? config : undefined;
}

function sampling(request: ChatRequest, family: ClaudeFamily, { on }: ThinkingPlan, warn: (text: string) => void): JsonObject {
  const { temperature, top_p } = request;
  const hasTemperature = typeof temperature === 'number';
  const hasTopP = typeof top_p === 'number';
  if (!hasTemperature && !hasTopP) return {};
  if (family.sampling === 'none' || on) {
    const lost = [hasTemperature && temperature !== 1 && 'temperature', hasTopP && top_p !== 1 && 'top_p'].filter((name) => name !== false);
    if (lost.length > 0)
      warn(`${lost.join(' and ')} left out: this model ${on && family.sampling !== 'none' ? 'takes none while it thinks' : 'takes none'}`);
    return {};
  }
  if (hasTemperature && hasTopP && family.sampling === 'one') warn('top_p was left out: this model takes no top_p beside a temperature');
  if (hasTemperature && temperature > 1) warn('temperature was lowered to 1, the highest that Anthropic takes');
  return {
    ...(hasTemperature && { temperature: Math.min(1, Math.max(0, temperature)) }),
    ...(hasTopP && !(hasTemperature && family.sampling === 'one') && { top_p }),
  };
}

/** Anthropic refuses blank stop sequences. The gateway enforces those itself. */
function stopSequences(stop: unknown): JsonObject {
  const wanted = (Array.isArray(stop) ? stop : [stop]).filter((text) => typeof text === 'string' && !isBlank(text));
  return wanted.length > 0 ? { stop_sequences: wanted } : {};
}

/** Anthropic asks for ids that tell nothing about a person: an e-mail address never leaves as one. */
function userMember(request: ChatRequest): JsonObject {
  const user = request.user ?? request.safety_identifier;
  return typeof user === 'string' && !isBlank(user) && !user.includes('@') ? { metadata: { user_id: user } } : {};
}

function serviceTier(tier: unknown, warn: (text: string) => void): JsonObject {
  switch (tier) {
    case 'auto':
    case 'priority':
      return { service_tier: 'auto' };
    case 'default':
    case 'standard':
    case 'standard_only':
      return { service_tier: 'standard_only' };
    default:
      if (typeof tier === 'string') warn(`service_tier '${tier.slice(0, 40)}' was left out: Anthropic does not have it`);
      return {};
  }
}

function warnOfDropped(request: ChatRequest, warn: (text: string) => void): void {
  const dropped = DROPPED.filter((name) => {
    const value = request[name];
    return value !== undefined && value !== null && value !== 0 && value !== false;
  });
  if (dropped.length > 0) warn(`Anthropic has nothing like ${dropped.join(', ')}`);
}
