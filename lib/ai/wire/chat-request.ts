import type { ChatRequest } from './chat.ts';
import { requestError } from './request-error.ts';
import { absent, checkCommon, isObject, objectBody, typeError } from './wire-values.ts';

/**
 * Checks a chat request as far as the gateway itself needs it: enough to route, to limit and to translate it. Everything else is between
 * the caller and the provider. The result is the same object; members that nobody knows stay.
 */
export function checkChatRequest(parsed: unknown): ChatRequest {
  const body = objectBody(parsed);
  checkCommon(body);
  const { messages, tools } = body;
  if (!Array.isArray(messages)) throw typeError('messages', 'an array of objects', messages);
  if (messages.length === 0)
    throw requestError('messages', "Invalid 'messages': empty array. Expected at least one message.", 'empty_array');
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index], index);
  if (!absent(tools)) {
    if (!Array.isArray(tools)) throw typeError('tools', 'an array of objects', tools);
    for (let index = 0; index < tools.length; index++) checkTool(tools[index], `tools.[${index}]`);
  }
  return body as ChatRequest;
}

function checkMessage(message: unknown, index: number): void {
  const place = () => `messages.[${index}]`;
  if (!isObject(message)) throw typeError(place(), 'an object', message ?? undefined);
  if (typeof message.role !== 'string') throw typeError(`${place()}.role`, 'a string', message.role);
  const { content, tool_calls } = message;
  if (Array.isArray(content)) {
    for (let part = 0; part < content.length; part++) {
      const value: unknown = content[part];
      if (!isObject(value) || typeof value.type !== 'string') {
        throw isObject(value)
          ? typeError(`${place()}.content.[${part}].type`, 'a string', value.type)
          : typeError(`${place()}.content.[${part}]`, 'an object', value);
      }
    }
  } else if (!absent(content) && typeof content !== 'string') {
    throw typeError(`${place()}.content`, 'a string or an array of objects', content);
  }
  if (!absent(tool_calls)) checkToolCalls(tool_calls, `${place()}.tool_calls`);
}

function checkToolCalls(calls: unknown, place: string): void {
  if (!Array.isArray(calls)) throw typeError(place, 'an array of objects', calls);
  for (let index = 0; index < calls.length; index++) {
    const call: unknown = calls[index];
    const at = `${place}.[${index}]`;
    if (!isObject(call)) throw typeError(at, 'an object', call);
    if (!absent(call.id) && typeof call.id !== 'string') throw typeError(`${at}.id`, 'a string', call.id);
    // A call of another type than `function` has other members.
    if (absent(call.function)) continue;
    if (!isObject(call.function)) throw typeError(`${at}.function`, 'an object', call.function);
    if (typeof call.function.name !== 'string') throw typeError(`${at}.function.name`, 'a string', call.function.name);
    const { arguments: text } = call.function;
    if (!absent(text) && typeof text !== 'string') throw typeError(`${at}.function.arguments`, 'a string', text);
  }
}

function checkTool(tool: unknown, place: string): void {
  if (!isObject(tool)) throw typeError(place, 'an object', tool);
  if (absent(tool.function)) return;
  if (!isObject(tool.function)) throw typeError(`${place}.function`, 'an object', tool.function);
  if (typeof tool.function.name !== 'string') throw typeError(`${place}.function.name`, 'a string', tool.function.name);
}
