import type { ChatMessage, ContentPart } from '../../wire/chat.ts';
import { requestError } from '../../wire/request-error.ts';
import { absent, isObject, textOrEmpty, typeError } from '../../wire/wire-values.ts';
import { unpackReasoning } from './reasoning-carrier.ts';

export interface ReadInput {
  messages: ChatMessage[];
  warnings: string[];
}

/** Items of an input that come from the assistant and follow each other are one message of the chat. */
type Turn = ChatMessage & { role: 'assistant' };

/** The input of a response as messages. */
export function readInput(input: unknown): ReadInput {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }], warnings: [] };
  if (!Array.isArray(input)) throw typeError('input', 'a string or an array of items', input);
  const messages: ChatMessage[] = [];
  const warnings: string[] = [];
  let turn: Turn | undefined;
  const assistant = (): Turn => {
    turn ??= { role: 'assistant', content: null };
    if (messages.at(-1) !== turn) messages.push(turn);
    return turn;
  };
  const other = (message: ChatMessage) => {
    turn = undefined;
    messages.push(message);
  };
  for (const [index, item] of input.entries()) {
    const place = `input.[${index}]`;
    if (!isObject(item)) throw typeError(place, 'an object', item);
    switch (item.type ?? 'message') {
      case 'message':
        if (item.role === 'assistant') addContent(assistant(), contentOf(item.content, place));
        else other({ role: roleOf(item.role, place), content: contentOf(item.content, place) });
        break;
      case 'reasoning':
        addReasoning(assistant(), item);
        break;
      case 'function_call':
        addCall(assistant(), item, place);
        break;
      case 'function_call_output':
        other({ role: 'tool', tool_call_id: textMember(item, 'call_id', place), content: outputOf(item.output, place) });
        break;
      case 'item_reference':
        if (!textOrEmpty(item.id).startsWith('rs_')) throw unknownItem(item.id, place);
        warnings.push(`${place}: the gateway keeps no reasoning items; the model goes on without this one`);
        break;
      default:
        throw requestError(
          `${place}.type`,
          `The gateway takes no items of the type '${textOrEmpty(item.type).slice(0, 60)}'.`,
          'unsupported_value',
        );
    }
  }
  return { messages: messages.filter((message) => message.role !== 'assistant' || !isEmpty(message)), warnings };
}

const isEmpty = ({ content, tool_calls, reasoning_details }: ChatMessage) =>
  content === null && tool_calls === undefined && reasoning_details === undefined;

const unknownItem = (id: unknown, place: string) =>
  requestError(
    `${place}.id`,
    `The gateway stores no items, so that it can't find '${textOrEmpty(id).slice(0, 80)}'. Send the items themselves. In the AI SDK, set the provider option 'store' of 'openai' to false.`,
    'unsupported_value',
  );

function roleOf(role: unknown, place: string): string {
  if (role === 'user' || role === 'system' || role === 'developer') return role;
  throw requestError(`${place}.role`, `'${place}.role' must be user, assistant, system or developer.`);
}

function textMember(item: Record<string, unknown>, name: string, place: string): string {
  const value = item[name];
  if (typeof value !== 'string') throw typeError(`${place}.${name}`, 'a string', value);
  return value;
}

/** Text alone is sent as a text, because older servers know no lists. */
function contentOf(content: unknown, place: string): string | ContentPart[] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw typeError(`${place}.content`, 'a string or an array of parts', content);
  const parts = content.map((part, index) => partOf(part, `${place}.content.[${index}]`));
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' && typeof only.text === 'string' ? only.text : parts;
}

function partOf(part: unknown, place: string): ContentPart {
  if (!isObject(part)) throw typeError(place, 'an object', part);
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: textMember(part, 'text', place) };
    case 'refusal':
      return { type: 'refusal', refusal: textMember(part, 'refusal', place) };
    case 'input_image':
      return imagePart(part, place);
    case 'input_file': {
      const { type: _, ...file } = part;
      return { type: 'file', file };
    }
    case 'input_audio':
      return { type: 'input_audio', input_audio: part.input_audio };
    default:
      throw requestError(
        `${place}.type`,
        `The gateway takes no content of the type '${textOrEmpty(part.type).slice(0, 60)}'.`,
        'unsupported_value',
      );
  }
}

function imagePart({ image_url, file_id, detail }: Record<string, unknown>, place: string): ContentPart {
  if (typeof image_url !== 'string') {
    if (!absent(file_id))
      throw requestError(`${place}.file_id`, "The gateway stores no files. Send the image as 'image_url'.", 'unsupported_value');
    throw typeError(`${place}.image_url`, 'a string', image_url);
  }
  return { type: 'image_url', image_url: { url: image_url, ...(typeof detail === 'string' && { detail }) } };
}

function outputOf(output: unknown, place: string): string | ContentPart[] {
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) throw typeError(`${place}.output`, 'a string or an array of parts', output);
  return contentOf(output, place);
}

function addContent(turn: Turn, content: string | ContentPart[]): void {
  if (absent(turn.content)) turn.content = content;
  else turn.content = [...partsOf(turn.content), ...partsOf(content)];
}

const partsOf = (content: string | ContentPart[]): ContentPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function addReasoning(turn: Turn, { summary, content, encrypted_content }: Record<string, unknown>): void {
  const details = unpackReasoning(encrypted_content);
  if (details.length > 0) turn.reasoning_details = [...(turn.reasoning_details ?? []), ...details];
  const texts = [summary, content]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .flatMap((part) => (isObject(part) ? part.text : []));
  const text = texts.filter((one) => typeof one === 'string').join('\n\n');
  if (text !== '') turn.reasoning_content = [turn.reasoning_content, text].filter((one) => typeof one === 'string').join('\n\n');
}

function addCall(turn: Turn, item: Record<string, unknown>, place: string): void {
  const id = textMember(item, 'call_id', place);
  const signature = turn.reasoning_details?.find((detail) => detail.tool_call_id === id)?.signature;
  const call = {
    id,
    type: 'function' as const,
    function: { name: textMember(item, 'name', place), arguments: textMember(item, 'arguments', place) },
    ...(signature !== undefined && { thought_signature: signature }),
  };
  turn.tool_calls = [...(turn.tool_calls ?? []), call];
}
