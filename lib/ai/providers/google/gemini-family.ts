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
  /** The first models of generation 3 know only the levels low and high. */
  levels: readonly ('minimal' | 'low' | 'medium' | 'high')[];
}

const ALL_LEVELS = ['minimal', 'low', 'medium', 'high'] as const;

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
    levels: tier !== 'pro' ? ALL_LEVELS : /gemini-3-pro/.test(model) ? ['low', 'high'] : ['low', 'medium', 'high'],
  };
}
