import type { ChatChunk } from '../../wire/chat.ts';
import type { StreamPart } from '../adapter.ts';

/** Reads a chunk that differs from an earlier one in nothing but its text; undefined if this chunk differs in more. */
export type ContentTemplate = (data: string) => StreamPart | undefined;

const CONTENT = /"content": ?"/;
const OBFUSCATION = /"obfuscation": ?"/;

/**
 * Most chunks of a stream differ in nothing but their text. Such a chunk is known by the characters around its text, and needs no parsing
 * if the text is a plain string. OpenAI's chunks have a second text that differs: random characters that hide their length.
 */
export function contentTemplate(chunk: ChatChunk, data: string): ContentTemplate | undefined {
  const [choice, ...others] = chunk.choices;
  const content = choice?.delta?.content;
  if (!choice || others.length > 0 || typeof content !== 'string' || content === '' || choice.finish_reason) return undefined;
  const from = endOf(CONTENT, data);
  const before = data.slice(0, from);
  const behind = data.slice(from + content.length);
  const hidden = endOf(OBFUSCATION, behind);
  const between = hidden < 0 ? behind : behind.slice(0, hidden);
  const after = hidden < 0 ? '' : behind.slice(behind.indexOf('"', hidden));
  // The places are the right ones if other texts there are read as those texts.
  if (from < 0 || !isTemplate(`${before}x${between}${hidden < 0 ? '' : 'y'}${after}`, hidden >= 0)) return undefined;
  const { obfuscation: _hiding, ...rest } = chunk;

  return (next) => {
    const end = next.indexOf('"', from);
    const rear = end + between.length;
    if (end <= from || next.slice(0, from) !== before || next.slice(end, rear) !== between) return undefined;
    const text = next.slice(from, end);
    if (text.includes('\\')) return undefined;
    if (hidden < 0) {
      if (rear !== next.length) return undefined;
    } else {
      const hiddenEnd = next.indexOf('"', rear);
      if (hiddenEnd < 0 || next.slice(hiddenEnd) !== after) return undefined;
    }
    const same = { ...rest, choices: [{ ...choice, delta: { ...choice.delta, content: text } }] };
    return { kind: 'chunk', chunk: same, text: next };
  };
}

function endOf(name: RegExp, data: string): number {
  const [found] = name.exec(data) ?? [];
  return found === undefined ? -1 : data.indexOf(found) + found.length;
}

function isTemplate(text: string, hides: boolean): boolean {
  try {
    const chunk: ChatChunk = JSON.parse(text);
    return chunk.choices[0]?.delta.content === 'x' && (!hides || chunk.obfuscation === 'y');
  } catch {
    return false;
  }
}
