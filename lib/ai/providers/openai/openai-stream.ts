import type { ChatChunk } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';
import type { SseEvent, StreamDecoder, StreamPart, UpstreamFailure } from '../adapter.ts';
import { reportedUsage } from './openai-completion.ts';
import { openaiFailure, openaiFailureIn } from './openai-failures.ts';
import { mendReasoning } from './openai-reasoning.ts';

/** Reads the stream of a server that speaks OpenAI. */
export function openaiStream(): StreamDecoder {
  let template: ContentTemplate | undefined;
  /** Streams whose chunks don't resemble one another are not tried again and again. */
  let templatesLeft = 3;

  function decode({ event, data }: SseEvent): StreamPart[] {
    const fast = template?.read(data);
    if (fast) return [fast];
    if (data.startsWith('[DONE]')) return [{ kind: 'done' }];
    if (data.trim() === '') return [];
    const chunk = parsed(data);
    if (!isObject(chunk)) return [{ kind: 'failure', failure: MALFORMED }];
    const failure = event === 'error' ? (openaiFailureIn(chunk) ?? openaiFailure(502, {}, chunk)) : openaiFailureIn(chunk);
    const parts: StreamPart[] = [];
    const usage = reportedUsage(chunk);
    if (failure) {
      parts.push({ kind: 'failure', failure });
    } else if (Array.isArray(chunk.choices) && chunk.choices.length > 0) {
      const changed = mendReasoning(chunk.choices, 'delta');
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

const MALFORMED: UpstreamFailure = {
  status: 502,
  blame: 'provider',
  message: 'The provider sent a malformed event.',
  code: null,
  param: null,
};

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

const contentOf = (chunk: unknown) => (isObject(chunk) ? (chunk as ChatChunk).choices?.[0]?.delta?.content : undefined);

interface ContentTemplate {
  read(data: string): StreamPart | undefined;
}

const CONTENT = /"content": ?"/;

/**
 * Most chunks of a stream differ in nothing but their text. Such a chunk is known by its beginning and its end, and needs no parsing if
 * the text between them is a plain string.
 */
function contentTemplate(chunk: ChatChunk, data: string): ContentTemplate | undefined {
  const [choice, ...others] = chunk.choices;
  const content = choice?.delta?.content;
  if (!choice || others.length > 0 || typeof content !== 'string' || content === '' || choice.finish_reason) return undefined;
  const [name] = CONTENT.exec(data) ?? [];
  if (name === undefined) return undefined;
  const from = data.indexOf(name) + name.length;
  const before = data.slice(0, from);
  const after = data.slice(from + content.length);
  // The place is the right one if another text there is read as that text.
  if (contentOf(parsed(`${before}x${after}`)) !== 'x') return undefined;
  return {
    read(next) {
      if (!next.startsWith(before) || !next.endsWith(after) || next.length <= before.length + after.length) return undefined;
      const text = next.slice(before.length, next.length - after.length);
      if (text.includes('"') || text.includes('\\')) return undefined;
      const same: ChatChunk = { ...chunk, choices: [{ ...choice, delta: { ...choice.delta, content: text } }] };
      return { kind: 'chunk', chunk: same, text: next };
    },
  };
}
