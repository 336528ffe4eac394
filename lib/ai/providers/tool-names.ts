import { createHash } from 'node:crypto';
import type { ChatRequest } from '../wire/chat.ts';
import { isObject } from '../wire/wire-values.ts';
import type { Adapter, ChatCall, StreamDecoder, ToolNameRule } from './adapter.ts';

/** Tools under names that the provider takes. Callers see their own names. */
export interface RenamedTools {
  call: ChatCall;
  /** The adapter, with the callers' names in its answers. */
  restoring(adapter: Adapter): Adapter;
}

/** Undefined if the provider takes all names as they are, which is the usual case. */
export function renameTools(call: ChatCall, rule: ToolNameRule | undefined): RenamedTools | undefined {
  const { tools } = call.request;
  if (!rule || !tools) return undefined;
  const accepted = new Map<string, string>();
  for (const { function: described } of tools)
    if (described && !rule.pattern.test(described.name)) accepted.set(described.name, acceptedName(described.name, rule));
  if (accepted.size === 0) return undefined;
  const own = new Map([...accepted].map(([name, sent]) => [sent, name]));
  return { call: { ...call, request: renamed(call.request, accepted) }, restoring: (adapter) => restoring(adapter, own) };
}

const DIGEST_LENGTH = 9;

/** The name with other characters, and a digest, so that two names never become one and each call gets the same name. */
function acceptedName(name: string, { longest }: ToolNameRule): string {
  const digest = createHash('sha256')
    .update(name)
    .digest('hex')
    .slice(0, DIGEST_LENGTH - 1);
  const readable = `_${name.replaceAll(/[^a-zA-Z0-9_-]/g, '_')}`.slice(0, longest - DIGEST_LENGTH);
  return `${readable}_${digest}`;
}

function renamed(request: ChatRequest, accepted: ReadonlyMap<string, string>): ChatRequest {
  const rename = <T extends { name: string }>(named: T): T => ({ ...named, name: accepted.get(named.name) ?? named.name });
  const { tools = [], messages, tool_choice: choice } = request;
  return {
    ...request,
    tools: tools.map((tool) => (tool.function ? { ...tool, function: rename(tool.function) } : tool)),
    messages: messages.map((message) =>
      message.tool_calls
        ? { ...message, tool_calls: message.tool_calls.map((one) => (one.function ? { ...one, function: rename(one.function) } : one)) }
        : message,
    ),
    ...(isObject(choice) &&
      isObject(choice.function) &&
      typeof choice.function.name === 'string' && {
        tool_choice: { ...choice, function: { ...choice.function, name: accepted.get(choice.function.name) ?? choice.function.name } },
      }),
  };
}

function restoring(adapter: Adapter, own: ReadonlyMap<string, string>): Adapter {
  const restore = (calls: readonly { function?: { name?: string | undefined } | undefined }[] = []) => {
    for (const { function: called } of calls) if (called?.name !== undefined) called.name = own.get(called.name) ?? called.name;
  };
  return {
    ...adapter,
    completion(body, target, text) {
      const decoded = adapter.completion(body, target, text);
      for (const { message } of decoded.completion.choices) restore(message.tool_calls);
      return decoded;
    },
    stream(target): StreamDecoder {
      const decoder = adapter.stream(target);
      const restored = (parts: ReturnType<StreamDecoder['decode']>) => {
        for (const part of parts) if (part.kind === 'chunk') for (const { delta } of part.chunk.choices) restore(delta.tool_calls);
        return parts;
      };
      return { decode: (event) => restored(decoder.decode(event)), end: () => restored(decoder.end()) };
    },
  };
}
