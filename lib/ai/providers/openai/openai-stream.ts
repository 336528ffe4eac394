import type { ChatChunk } from '../../wire/chat.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { SseEvent, StreamDecoder, StreamPart, UpstreamFailure } from '../adapter.ts';
import { type ContentTemplate, contentTemplate } from './content-template.ts';
import { reportedUsage } from './openai-completion.ts';
import { chatOfCompletions } from './openai-completions.ts';
import { openaiFailure, openaiFailureIn } from './openai-failures.ts';
import { mendReasoning } from './openai-reasoning.ts';

/** Reads the stream of a server that speaks OpenAI. */
export function openaiStream(): StreamDecoder {
  let template: ContentTemplate | undefined;
  /** Streams whose chunks don't resemble one another are not tried again and again. */
  let templatesLeft = 3;

  function decode({ event, data }: SseEvent): StreamPart[] {
    const fast = template?.(data);
    if (fast) return [fast];
    const trimmed = data.trim();
    if (trimmed === '[DONE]') return [{ kind: 'done' }];
    if (trimmed === '') return [];
    const chunk = parsePlainJson(data);
    if (!isObject(chunk)) return [{ kind: 'failure', failure: MALFORMED }];
    const failure = event === 'error' ? (openaiFailureIn(chunk) ?? openaiFailure(502, {}, chunk)) : openaiFailureIn(chunk);
    const parts: StreamPart[] = [];
    const usage = reportedUsage(chunk);
    if (failure) {
      parts.push({ kind: 'failure', failure });
    } else if (Array.isArray(chunk.choices) && chunk.choices.length > 0) {
      const changed = [chatOfCompletions(chunk, 'delta'), deltaOfMessage(chunk.choices), mendReasoning(chunk.choices, 'delta')].includes(
        true,
      );
      // What is not a chunk in some member is mended by the rules for chunks, which read nothing without looking.
      const part: StreamPart = { kind: 'chunk', chunk: chunk as ChatChunk, ...(!changed && { text: data }) };
      parts.push(part);
      if (templatesLeft > 0 && !changed && !usage) {
        template = contentTemplate(chunk as ChatChunk, data);
        if (template) templatesLeft--;
      }
    }
    // Behind the chunk, because usage that comes with the finish is the last one.
    if (usage) parts.push({ kind: 'usage', usage });
    return parts;
  }

  return { decode, end: () => [] };
}

/** Some servers stream a whole message where the delta belongs. Returns whether anything was changed. */
function deltaOfMessage(choices: readonly unknown[]): boolean {
  let changed = false;
  for (const choice of choices) {
    if (!isObject(choice) || isObject(choice.delta) || !isObject(choice.message)) continue;
    choice.delta = choice.message;
    delete choice.message;
    changed = true;
  }
  return changed;
}

const MALFORMED: UpstreamFailure = {
  status: 502,
  blame: 'provider',
  message: 'The provider sent a malformed event.',
  code: null,
  param: null,
};
