import type { ChatMessage, ToolCall } from '../../../wire/chat.ts';
import { parseObject } from '../../../wire/exact-json.ts';
import { requestError } from '../../../wire/request-error.ts';
import { isObject } from '../../../wire/wire-values.ts';
import { nativeId } from '../gemini-call-ids.ts';
import type { GeminiFamily } from '../gemini-family.ts';
import { messageSignature, SKIP_VALIDATION, signatureOf } from '../gemini-signatures.ts';
import type { GeminiContent, GeminiPart } from '../gemini-wire.ts';
import { geminiParts } from './gemini-parts.ts';
import { functionResponses } from './gemini-tool-results.ts';

export interface GeminiConversation {
  contents: GeminiContent[];
  systemInstruction?: { parts: GeminiPart[] };
  warnings: string[];
}

/** The conversation as contents. All system messages become one instruction, because Google has one place for them. */
export function geminiContents(messages: readonly ChatMessage[], family: GeminiFamily): GeminiConversation {
  const contents: GeminiContent[] = [];
  const system: GeminiPart[] = [];
  const warnings: string[] = [];
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  const used = new Set<number>();
  for (const [index, message] of messages.entries()) {
    const place = `messages.[${index}]`;
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...geminiParts(message.content, place).filter(({ text }) => text === undefined || text.trim() !== ''));
        break;
      case 'user':
        push(contents, 'user', geminiParts(message.content, place));
        break;
      case 'assistant': {
        const turn = modelParts(message, place, family, index > lastUser);
        warnings.push(...turn.warnings);
        push(contents, 'model', turn.parts);
        const calls = message.tool_calls ?? [];
        if (calls.length > 0) for (const content of functionResponses(messages, index, calls, family, used)) contents.push(content);
        break;
      }
      case 'tool':
        if (used.has(index)) break;
        throw requestError(
          `${place}.tool_call_id`,
          `'${place}' answers the tool call '${String(message.tool_call_id).slice(0, 100)}', which the assistant message before it doesn't have.`,
        );
      default:
        throw requestError(`${place}.role`, `Google's models know no message of the role '${String(message.role).slice(0, 60)}'.`);
    }
  }
  return { ...finished(contents, system), warnings: [...new Set(warnings)] };
}

function push(contents: GeminiContent[], role: 'user' | 'model', parts: GeminiPart[]): void {
  if (parts.length > 0) contents.push({ role, parts });
}

/** A conversation of system messages alone is sent as the user's, because Google wants at least one content. */
function finished(contents: GeminiContent[], system: GeminiPart[]): Omit<GeminiConversation, 'warnings'> {
  const instruction = joined(system);
  if (contents.length > 0) return { contents, ...(instruction.length > 0 && { systemInstruction: { parts: instruction } }) };
  if (instruction.length > 0) return { contents: [{ role: 'user', parts: instruction }] };
  throw requestError('messages.[0].content', 'The messages hold no text and no other content.');
}

/** Several system messages become one text, with a blank line between them. */
function joined(system: GeminiPart[]): GeminiPart[] {
  const texts = system.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const others = system.filter(({ text }) => text === undefined);
  return [...(texts.length > 0 ? [{ text: texts.join('\n\n') }] : []), ...others];
}

function modelParts(
  message: ChatMessage,
  place: string,
  family: GeminiFamily,
  inTurn: boolean,
): { parts: GeminiPart[]; warnings: string[] } {
  const parts = geminiParts(message.content, place);
  if (typeof message.refusal === 'string' && message.refusal !== '' && parts.length === 0) parts.push({ text: message.refusal });
  const textSignature = messageSignature(message);
  const lastText = parts.findLast(({ text }) => text !== undefined);
  if (textSignature !== undefined && lastText) lastText.thoughtSignature = textSignature;
  const calls = message.tool_calls ?? [];
  if (!Array.isArray(calls)) throw requestError(`${place}.tool_calls`, `'${place}.tool_calls' must be a list.`);
  const warnings: string[] = [];
  for (const [index, call] of calls.entries()) {
    const part = callPart(call, `${place}.tool_calls.[${index}]`, family);
    const signature = signatureOf(call, message);
    if (signature !== undefined) part.thoughtSignature = signature;
    else if (index === 0 && inTurn && family.needsSignatures) {
      part.thoughtSignature = SKIP_VALIDATION;
      warnings.push(
        "The history lacks the signature of a thought ('thought_signature' of a tool call); the model goes on without that thought.",
      );
    }
    parts.push(part);
  }
  return { parts, warnings };
}

function callPart(call: ToolCall, place: string, family: GeminiFamily): GeminiPart {
  const { name, arguments: text } = isObject(call) && isObject(call.function) ? call.function : {};
  if (typeof name !== 'string') throw requestError(`${place}.function.name`, `'${place}.function.name' must be a text.`);
  return { functionCall: { ...nativeId(call.id, family), name, args: callArguments(text, `${place}.function.arguments`) } };
}

function callArguments(text: unknown, place: string): Record<string, unknown> {
  if (text === undefined || text === null || text === '') return {};
  const value = typeof text === 'string' ? parseObject(text) : text;
  if (isObject(value)) return value;
  throw requestError(place, `'${place}' must be one JSON object, because this model takes the arguments of a call as an object.`);
}
