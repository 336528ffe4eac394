import type { WireUsage } from '../wire/chat.ts';
import type { Usage } from './usage.ts';

/** Usage as OpenAI's clients read it: `prompt_tokens` includes cached tokens, `completion_tokens` includes reasoning. */
export const wireUsage = (usage: Usage): WireUsage => ({
  prompt_tokens: usage.prompt_tokens,
  completion_tokens: usage.completion_tokens,
  total_tokens: usage.prompt_tokens + usage.completion_tokens,
  prompt_tokens_details: {
    cached_tokens: usage.cached_input,
    audio_tokens: usage.audio_input,
    cache_write_tokens: usage.cache_write_5m + usage.cache_write_1h,
  },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning,
    audio_tokens: usage.audio_output,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});
