import { isObject } from '../../../wire/wire-values.ts';
import { type ChatCall, reservedOutputTokens, type Target, type UpstreamRequest } from '../../adapter.ts';
import { geminiFamily } from '../gemini-family.ts';
import { geminiUrl } from '../gemini-url.ts';
import { geminiContents } from './gemini-contents.ts';
import { geminiGeneration } from './gemini-generation.ts';
import { geminiTools } from './gemini-tools.ts';

/** A chat request as `generateContent` or `streamGenerateContent`. */
export function geminiChatRequest(call: ChatCall, target: Target): UpstreamRequest {
  const { request } = call;
  const family = geminiFamily(target.model);
  const { contents, systemInstruction, warnings } = geminiContents(request.messages, family);
  const { tools, toolConfig, warnings: toolWarnings } = geminiTools(request);
  const limit = request.max_completion_tokens ?? request.max_tokens ?? reservedOutputTokens(call, target);
  const {
    generationConfig,
    instruction,
    warnings: configWarnings,
  } = geminiGeneration(request, family, { hasTools: tools !== undefined, limit });
  const system = [...(systemInstruction?.parts ?? []), ...(instruction === undefined ? [] : [{ text: instruction }])];
  const body = {
    contents,
    ...(system.length > 0 && { systemInstruction: { parts: system } }),
    ...(tools && { tools }),
    ...(toolConfig && { toolConfig }),
    ...(generationConfig && { generationConfig }),
    ...googleMembers(request),
  };
  return {
    method: 'POST',
    url: geminiUrl(target, request.stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent'),
    headers: geminiHeaders(target),
    body: JSON.stringify(body),
    warnings: [...warnings, ...toolWarnings, ...configWarnings],
  };
}

export const geminiHeaders = ({ api_key }: Target): Record<string, string> => ({
  'content-type': 'application/json',
  ...(api_key !== '' && { 'x-goog-api-key': api_key }),
});

/** Google's service tiers, by their names at OpenAI. With `auto` Google decides. */
const TIERS: Readonly<Record<string, string>> = { default: 'standard', standard: 'standard', flex: 'flex', priority: 'priority' };

/**
 * Wishes beside the chat itself: `safety_settings` in the request, or in `extra_body.google`, where Google's OpenAI-compatible endpoint takes
 * them, and `cached_content` there.
 */
function googleMembers({ safety_settings, extra_body, service_tier }: Record<string, unknown>): Record<string, unknown> {
  const google = isObject(extra_body) && isObject(extra_body.google) ? extra_body.google : {};
  const safety = safety_settings ?? google.safety_settings;
  return {
    ...(Array.isArray(safety) && { safetySettings: safety }),
    ...(typeof service_tier === 'string' && Object.hasOwn(TIERS, service_tier) && { service_tier: TIERS[service_tier] }),
    ...(typeof google.cached_content === 'string' && { cachedContent: google.cached_content }),
  };
}
