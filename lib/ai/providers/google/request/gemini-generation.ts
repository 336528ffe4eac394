import type { ChatRequest } from '../../../wire/chat.ts';
import { inlineRefs, isJsonObject } from '../../../wire/json-schema-refs.ts';
import { requestError } from '../../../wire/request-error.ts';
import { isObject } from '../../../wire/wire-values.ts';
import type { GeminiFamily } from '../gemini-family.ts';
import { geminiJsonSchema, hasPlainRefs } from './gemini-json-schema.ts';
import { geminiSchema } from './gemini-schema.ts';
import { thinkingConfig } from './gemini-thinking.ts';

/** Google takes this many stop sequences. The gateway cuts at the others itself. */
export const MOST_GEMINI_STOPS = 5;

export interface Generation {
  generationConfig?: Record<string, unknown>;
  /** A wish that this model can be told in words only. */
  instruction?: string;
  warnings: string[];
}

export interface GenerationOptions {
  hasTools: boolean;
  /** The most tokens of the answer, thoughts included. */
  limit: number | undefined;
}

export function geminiGeneration(request: ChatRequest, family: GeminiFamily, { hasTools, limit }: GenerationOptions): Generation {
  const warnings: string[] = [];
  const { config: thinking, warning } = thinkingConfig(request.reasoning_effort, family, limit);
  if (warning !== undefined) warnings.push(warning);
  const format = responseFormat(request, family, hasTools, warnings);
  const config: Record<string, unknown> = {
    maxOutputTokens: limit,
    temperature: numberOf(request.temperature),
    topP: numberOf(request.top_p),
    topK: numberOf(request.top_k),
    presencePenalty: penalty('presence_penalty', request, family, warnings),
    frequencyPenalty: penalty('frequency_penalty', request, family, warnings),
    seed: seedOf(request.seed, warnings),
    candidateCount: candidateCount(request.n, family),
    stopSequences: stopsOf(request.stop),
    ...logprobs(request),
    ...modalities(request.modalities),
    ...format.config,
    thinkingConfig: thinking,
  };
  if (request.logit_bias && Object.keys(request.logit_bias).length > 0)
    warnings.push("logit_bias: Google's models have no such setting; it was left out");
  const set = Object.entries(config).filter(([, value]) => value !== undefined);
  return {
    ...(set.length > 0 && { generationConfig: Object.fromEntries(set) }),
    ...(format.instruction !== undefined && { instruction: format.instruction }),
    warnings,
  };
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function penalty(name: string, request: ChatRequest, family: GeminiFamily, warnings: string[]): number | undefined {
  const value = numberOf(request[name]);
  if (value === undefined || family.penalties) return value;
  if (value !== 0) warnings.push(`${name}: this model takes no penalties; it was left out`);
  return undefined;
}

/** A model that gives one answer at a time is asked several times (see several-answers.ts). */
function candidateCount(n: unknown, family: GeminiFamily): number | undefined {
  return typeof n === 'number' && n > 1 && family.candidates ? n : undefined;
}

/** Google's seeds have 32 bits. */
function seedOf(seed: unknown, warnings: string[]): number | undefined {
  if (typeof seed !== 'number') return undefined;
  if (Number.isInteger(seed) && seed >= -(2 ** 31) && seed < 2 ** 31) return seed;
  warnings.push("seed: Google's seeds are integers of 32 bits; it was left out");
  return undefined;
}

function stopsOf(stop: unknown): string[] | undefined {
  const listed = (Array.isArray(stop) ? stop : [stop]).filter((text): text is string => typeof text === 'string' && text !== '');
  return listed.length > 0 ? listed.slice(0, MOST_GEMINI_STOPS) : undefined;
}

const logprobs = ({ logprobs: wanted, top_logprobs }: ChatRequest): Record<string, unknown> =>
  wanted === true
    ? { responseLogprobs: true, ...(typeof top_logprobs === 'number' && top_logprobs > 0 && { logprobs: top_logprobs }) }
    : {};

/** Text alone is what a model answers with anyway, and some models refuse to be told so. */
function modalities(wanted: unknown): Record<string, unknown> {
  if (!Array.isArray(wanted) || wanted.every((name) => name === 'text')) return {};
  return { responseModalities: wanted.map((name) => String(name).toUpperCase()) };
}

function responseFormat(
  { response_format }: ChatRequest,
  family: GeminiFamily,
  hasTools: boolean,
  warnings: string[],
): { config?: Record<string, unknown>; instruction?: string } {
  if (!isObject(response_format) || response_format.type === 'text') return {};
  const schema = response_format.type === 'json_schema' ? wantedSchema(response_format.json_schema) : undefined;
  if (response_format.type !== 'json_object' && response_format.type !== 'json_schema') {
    throw requestError('response_format.type', "'response_format.type' must be text, json_object or json_schema.");
  }
  if (hasTools && !family.schemaWithTools) {
    warnings.push('response_format: this model takes no structured output together with tools; it was asked for it in words');
    const words = schema ? ` Follow this JSON schema: ${JSON.stringify(schema)}` : '';
    return { instruction: `If you answer with text, answer with JSON only, without code fences.${words}` };
  }
  return { config: { responseMimeType: 'application/json', ...(schema && schemaMember(schema, family)) } };
}

const SCHEMA = 'response_format.json_schema.schema';

function wantedSchema(wanted: unknown): Record<string, unknown> | undefined {
  const schema = isObject(wanted) ? wanted.schema : undefined;
  if (schema === undefined || schema === null) return undefined;
  if (!isJsonObject(schema)) throw requestError(SCHEMA, `'${SCHEMA}' must be an object.`);
  return schema;
}

function schemaMember(schema: Record<string, unknown>, family: GeminiFamily): Record<string, unknown> {
  if (!isJsonObject(schema)) return {};
  // Also finds out if the schema is too large or too deep.
  const inlined = inlineRefs(schema, SCHEMA);
  if (!family.jsonSchema) return { responseSchema: geminiSchema(inlined) };
  return { responseJsonSchema: geminiJsonSchema(hasPlainRefs(JSON.stringify(schema)) ? schema : inlined) };
}
