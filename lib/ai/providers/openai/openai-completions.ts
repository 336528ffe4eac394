import type { ChatCompletion } from '../../wire/chat.ts';
import { withNativeBody, withNativeEvents } from '../../wire/native-answer.ts';
import { requestError } from '../../wire/request-error.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { ChatCall, Target } from '../adapter.ts';
import type { Preset } from './openai-presets.ts';
import { type OpenaiBody, openaiBody } from './openai-request.ts';

/** OpenAI has the legacy operation for these models only. */
const LEGACY_MODELS = /instruct|^(?:davinci|babbage|curie|ada|text-)/;

/**
 * The legacy request for a server that has that operation; undefined if this call is to be asked as a chat. Its answers are read as chats:
 * a choice with a `text` becomes one with a message.
 */
export function openaiCompletionsBody({ native, request }: ChatCall, target: Target, preset: Preset): OpenaiBody | undefined {
  if (native?.dialect !== 'completions') return undefined;
  const official = target.type === 'openai' || target.type === 'azure';
  if (target.type === 'simulated' || !preset.completions || (official && !LEGACY_MODELS.test(target.model))) {
    if (typeof request.messages[0]?.content === 'string') return undefined;
    throw requestError('prompt', 'The provider of this model takes prompts as text only.', 'unsupported_value');
  }
  const changes: Record<string, string | undefined> = {};
  const { stream, stream_options } = request;
  if (stream === true && stream_options?.include_usage !== true && !target.without_stream_usage && preset.stream_usage !== 'always') {
    changes.stream_options = JSON.stringify({ ...stream_options, include_usage: true });
  }
  const injected = changes.stream_options !== undefined && !stream_options ? ['stream_options'] : [];
  return { body: openaiBody(request, native.text, target.model, changes), injected };
}

/** Turns choices with a text into choices of a chat, in place. Returns whether there were any. */
export function chatOfCompletions(body: Record<string, unknown>, member: 'delta' | 'message'): boolean {
  if (body.object !== 'text_completion' || !Array.isArray(body.choices)) return false;
  for (const choice of body.choices) {
    if (!isObject(choice) || typeof choice.text !== 'string') continue;
    choice[member] = member === 'delta' ? { content: choice.text } : { role: 'assistant', content: choice.text, refusal: null };
    delete choice.text;
  }
  if (member === 'delta') withNativeEvents(body, [{ type: 'text_completion', data: '' }]);
  else withNativeBody(body as ChatCompletion, body);
  return true;
}
