import type { ChatMessage, ChatRequest, ChatTool } from './chat.ts';
import { isObject } from './wire-values.ts';

/**
 * The request with tools in place of `functions`, which OpenAI had before them, for providers that know only tools. A call had no id then: it
 * gets one by its place in the history. A request without functions is returned as it is.
 */
export function withoutLegacyFunctions(request: ChatRequest, warn: (text: string) => void): ChatRequest {
  const { functions, function_call, ...others } = request;
  const isLegacy = (message: ChatMessage) => message.role === 'function' || isObject(message.function_call);
  const given = Array.isArray(functions) && functions.length > 0;
  if (!given && !request.messages.some(isLegacy)) return request;
  if (given) warn('functions were sent as tools, and come back as tool_calls');
  const tools: ChatTool[] = given
    ? functions.filter(isObject).map((one) => ({ type: 'function', function: { ...one, name: String(one.name) } }))
    : [];
  const choice = isObject(function_call) ? { type: 'function', function: { name: function_call.name } } : function_call;
  return {
    ...others,
    messages: modernMessages(request.messages),
    ...(tools.length > 0 && { tools: [...(request.tools ?? []), ...tools] }),
    ...(given && choice !== undefined && choice !== null && request.tool_choice === undefined && { tool_choice: choice }),
  };
}

function modernMessages(messages: readonly ChatMessage[]): ChatMessage[] {
  let id = '';
  return messages.map((message, index) => {
    const { function_call: call, ...rest } = message;
    if (isObject(call)) {
      id = `call_${index}`;
      const named = { name: String(call.name), arguments: typeof call.arguments === 'string' ? call.arguments : '' };
      return { ...rest, tool_calls: [{ id, type: 'function', function: named }] };
    }
    if (message.role !== 'function') return message;
    const { name: _name, ...result } = rest;
    return { ...result, role: 'tool', tool_call_id: id };
  });
}
