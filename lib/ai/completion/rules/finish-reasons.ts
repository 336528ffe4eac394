import type { FinishReason } from '../../wire/chat.ts';

/** Other names that servers have for OpenAI's reasons. */
const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['function_call', 'function_call'],
  ['eos', 'stop'],
  ['eos_token', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['max_output_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_call', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['safety', 'content_filter'],
  ['refusal', 'content_filter'],
  ['recitation', 'content_filter'],
]);

/** The reason as OpenAI names it; null while a choice goes on. A choice with tool calls never ends with a mere `stop`. */
export function finishReason(value: unknown, calledTools: boolean): FinishReason | null {
  if (typeof value !== 'string' || value === '') return null;
  const reason = REASONS.get(value) ?? REASONS.get(value.toLowerCase()) ?? 'stop';
  return reason === 'stop' && calledTools ? 'tool_calls' : reason;
}
