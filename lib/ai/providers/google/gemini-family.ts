/** What differs between the generations of Google's models. */
export interface GeminiFamily {
  /** How the model is told how long to think: with a budget of tokens, with a level, or not at all. */
  thinking: 'none' | 'budget' | 'level';
  tier: 'pro' | 'flash' | 'flash-lite';
  /** The API wants the signature of a thought back with a function call, and answers 400 without it. */
  needsSignatures: boolean;
  /** `responseJsonSchema` is taken: JSON Schema itself, with references. Older models know only a part of OpenAPI's schemas. */
  jsonSchema: boolean;
  /** Structured output and functions may be asked for in one request. */
  schemaWithTools: boolean;
  /** A function's response may hold images. */
  imagesInResponses: boolean;
  /** The levels that the model takes, the least first. */
  levels: readonly Level[];
  /** Several candidates may be asked for. */
  candidates: boolean;
  /** Penalties are taken; newer models answer 400 to them. */
  penalties: boolean;
  /** Every call and its result carry an id, whoever made it. */
  callIds: boolean;
}

type Level = 'minimal' | 'low' | 'medium' | 'high';

/** The family of a model, by its name. A name without a known generation is taken for an old model, of which the least is expected. */
export function geminiFamily(model: string): GeminiFamily {
  const [, digits] = /gemini-(\d+(?:\.\d+)?)/.exec(model) ?? [];
  const generation = Number(digits ?? 0);
  const tier = /flash-lite/.test(model) ? 'flash-lite' : /flash/.test(model) ? 'flash' : 'pro';
  const third = generation >= 3;
  return {
    thinking: third ? 'level' : generation >= 2.5 && !/image|tts|live/.test(model) ? 'budget' : 'none',
    tier,
    needsSignatures: third,
    jsonSchema: generation >= 2.5,
    schemaWithTools: third,
    imagesInResponses: third,
    levels: levelsOf(generation, tier),
    candidates: !third,
    penalties: generation < 3.5,
    callIds: third,
  };
}

/** Google's Pro models never think minimally, the first one knew two levels only, and from 3.8 on no model takes `minimal`. */
function levelsOf(generation: number, tier: GeminiFamily['tier']): Level[] {
  if (tier === 'pro' && generation === 3) return ['low', 'high'];
  return tier === 'pro' || generation >= 3.8 ? ['low', 'medium', 'high'] : ['minimal', 'low', 'medium', 'high'];
}
