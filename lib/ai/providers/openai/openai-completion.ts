import type { ReportedUsage } from '../../pricing/usage.ts';
import type { ChatCompletion } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';
import { type DecodedCompletion, UnusableAnswer } from '../adapter.ts';
import { chatOfCompletions } from './openai-completions.ts';
import { mendReasoning } from './openai-reasoning.ts';

/** The whole answer of a server that speaks OpenAI. The rules for completions mend its details afterwards. */
export function openaiCompletion(body: unknown): DecodedCompletion {
  if (!isObject(body)) throw new UnusableAnswer('The provider answered with something other than a JSON object.');
  const { choices } = body;
  if (!Array.isArray(choices) || choices.length === 0) throw new UnusableAnswer('The provider answered without choices.');
  chatOfCompletions(body, 'message');
  if (!choices.every((choice) => isObject(choice) && isObject(choice.message))) {
    throw new UnusableAnswer('The provider answered with a choice without message.');
  }
  // The answer itself only if it is as it came: its text may be passed on then.
  const changed = mendReasoning(choices, 'message');
  return { completion: (changed ? { ...body } : body) as ChatCompletion, usage: reportedUsage(body) };
}

/** Usage in an answer or a chunk. Groq puts it into a member of its own in streams. */
export function reportedUsage(body: Record<string, unknown>): ReportedUsage | undefined {
  const { usage, service_tier, x_groq } = body;
  const fields = isObject(usage) ? usage : isObject(x_groq) && isObject(x_groq.usage) ? x_groq.usage : undefined;
  if (!fields) return undefined;
  return { dialect: 'openai', fields, ...(typeof service_tier === 'string' && { service_tier }) };
}
