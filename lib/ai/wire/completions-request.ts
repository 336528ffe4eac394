import { checkTexts } from './prompt-texts.ts';
import { checkCommon, objectBody } from './wire-values.ts';

/** A request of the older, legacy completions. */
export interface CompletionsRequest extends Record<string, unknown> {
  model: string;
  prompt: string | string[] | number[] | number[][];
  stream?: boolean;
  stream_options?: { include_usage?: boolean; [option: string]: unknown } | null;
  n?: number | null;
  best_of?: number | null;
  max_tokens?: number | null;
  echo?: boolean | null;
  suffix?: string | null;
}

const MOST_PROMPTS = 128;

export function checkCompletionsRequest(parsed: unknown): CompletionsRequest {
  const body = objectBody(parsed);
  checkCommon(body);
  checkTexts(body.prompt, 'prompt', MOST_PROMPTS);
  return body as CompletionsRequest;
}
