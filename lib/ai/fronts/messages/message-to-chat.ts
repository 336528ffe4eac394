import type { ChatMessage, ContentPart, ReasoningDetail, ToolCall } from '../../wire/chat.ts';
import { isObject, textOrEmpty } from '../../wire/wire-values.ts';
import type { Block, MessageParam } from './messages-request.ts';

/**
 * A message of Anthropic as messages of OpenAI. The results of tools become messages of their own, before what the user says. A block that
 * OpenAI has nothing for stays as it is, for the provider to refuse.
 */
export function messageToChat({ role, content }: MessageParam): ChatMessage[] {
  if (typeof content === 'string') return [{ role, content }];
  return role === 'assistant' ? [assistantMessage(content)] : userMessages(role, content);
}

function userMessages(role: string, blocks: readonly Block[]): ChatMessage[] {
  const results: ChatMessage[] = [];
  const parts: ContentPart[] = [];
  for (const block of blocks) {
    if (block.type !== 'tool_result') parts.push(...partsOf(block));
    else {
      const inner = resultParts(block.content);
      // OpenAI takes only text as a tool's result, so that its images follow in what the user says.
      const texts = inner.filter(({ type }) => type === 'text');
      parts.push(...inner.filter(({ type }) => type !== 'text'));
      results.push({
        role: 'tool',
        tool_call_id: textOrEmpty(block.tool_use_id),
        content: texts.map(({ text }) => textOrEmpty(text)).join('\n'),
        ...(block.is_error === true && { is_error: true }),
        ...(isObject(block.cache_control) && { cache_control: block.cache_control }),
      });
    }
  }
  return parts.length > 0 || results.length === 0 ? [...results, { role, content: simplest(parts) }] : results;
}

function resultParts(content: unknown): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter(isObject).flatMap((block) => partsOf({ ...block, type: textOrEmpty(block.type) })) : [];
}

function assistantMessage(blocks: readonly Block[]): ChatMessage {
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => textOrEmpty(text));
  const reasoning_details = blocks.flatMap(reasoningOf);
  const reasoning = blocks.filter(({ type }) => type === 'thinking').map(({ thinking }) => textOrEmpty(thinking));
  const tool_calls = blocks.filter(({ type }) => type === 'tool_use').map(callOf);
  return {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    ...(reasoning.length > 0 && { reasoning_content: reasoning.join('') }),
    ...(reasoning_details.length > 0 && { reasoning_details }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
}

function reasoningOf({ type, thinking, signature, data }: Block): ReasoningDetail[] {
  if (type === 'thinking' && typeof signature === 'string' && signature !== '') {
    return [{ type, text: textOrEmpty(thinking), signature }];
  }
  return type === 'redacted_thinking' && typeof data === 'string' ? [{ type, data }] : [];
}

const callOf = ({ id, name, input, thought_signature }: Block): ToolCall => ({
  id: textOrEmpty(id),
  type: 'function',
  function: { name: textOrEmpty(name), arguments: JSON.stringify(input ?? {}) },
  ...(typeof thought_signature === 'string' && { thought_signature }),
});

/** The parts of OpenAI's content that a block becomes. */
export function partsOf(block: Block): ContentPart[] {
  return bareParts(block).map((part) => (isObject(block.cache_control) ? { ...part, cache_control: block.cache_control } : part));
}

function bareParts(block: Block): ContentPart[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: textOrEmpty(block.text) }];
    case 'image':
      return [imagePart(block)];
    case 'document':
      return documentParts(block);
    case 'search_result':
      return [
        { type: 'text', text: [block.title, block.source, textOf(block.content)].filter((text) => typeof text === 'string').join('\n') },
      ];
    default:
      return [block];
  }
}

function imagePart(block: Block): ContentPart {
  const source = isObject(block.source) ? block.source : {};
  if (source.type === 'base64') return { type: 'image_url', image_url: { url: dataUrl(source) } };
  return source.type === 'url' ? { type: 'image_url', image_url: { url: source.url } } : block;
}

function documentParts(block: Block): ContentPart[] {
  const source = isObject(block.source) ? block.source : {};
  const title = typeof block.title === 'string' ? block.title : undefined;
  switch (source.type) {
    case 'base64':
      return [{ type: 'file', file: { filename: title ?? 'document.pdf', file_data: dataUrl(source) } }];
    case 'text':
      return [{ type: 'text', text: title === undefined ? textOrEmpty(source.data) : `${title}\n\n${textOrEmpty(source.data)}` }];
    case 'content':
      return resultParts(source.content);
    case 'file':
      return [{ type: 'file', file: { file_id: source.file_id } }];
    case 'url':
      return [{ type: 'file', file: { file_url: source.url, ...(title !== undefined && { filename: title }) } }];
    default:
      return [block];
  }
}

const dataUrl = ({ media_type, data }: Record<string, unknown>) => `data:${textOrEmpty(media_type)};base64,${textOrEmpty(data)}`;

const textOf = (content: unknown): string =>
  resultParts(content)
    .map(({ text }) => textOrEmpty(text))
    .join('\n');

/** One plain text stays a string, which every server takes. */
function simplest(parts: ContentPart[]): string | ContentPart[] {
  const [only] = parts;
  if (!only) return '';
  return parts.length === 1 && only.type === 'text' && only.cache_control === undefined ? textOrEmpty(only.text) : parts;
}
