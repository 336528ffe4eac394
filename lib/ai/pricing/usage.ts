/**
 * The usage of one call in one normal form, whoever the provider is. The classes don't overlap: each token is in exactly one of them, so
 * that a cost is a sum. All numbers are whole and not negative.
 */
export interface TokenClasses {
  /** Prompt text that no cache served. */
  input: number;
  cached_input: number;
  cache_write_5m: number;
  cache_write_1h: number;
  image_input: number;
  audio_input: number;
  video_input: number;
  /** Answer text without reasoning. */
  output: number;
  reasoning: number;
  image_output: number;
  audio_output: number;
}
export type TokenClass = keyof TokenClasses;

export interface Usage extends TokenClasses {
  /** The sum of the input side. */
  prompt_tokens: number;
  /** The sum of the output side, reasoning included. */
  completion_tokens: number;
  /** Searches that the provider ran and charges by the call. */
  web_searches: number;
  /** Seconds of audio, for models that charge by time. */
  audio_seconds: number;
  /** Some number is the gateway's own estimate, because the provider gave none that can be true. */
  estimated: boolean;
  /** The provider gave an impossible number (negative, fractional, absurd). */
  anomaly: boolean;
}

export const NO_USAGE: Usage = {
  input: 0,
  cached_input: 0,
  cache_write_5m: 0,
  cache_write_1h: 0,
  image_input: 0,
  audio_input: 0,
  video_input: 0,
  output: 0,
  reasoning: 0,
  image_output: 0,
  audio_output: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  web_searches: 0,
  audio_seconds: 0,
  estimated: false,
  anomaly: false,
};

/** What a provider said about usage, merged over the events of a stream: the last value of each field wins. */
export interface ReportedUsage {
  /** Whose fields these are. */
  dialect: 'openai' | 'anthropic' | 'gemini';
  fields: Readonly<Record<string, unknown>>;
  /** The service tier that served the call, if the provider named it. */
  service_tier?: string;
}
