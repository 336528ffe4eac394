import type { ChatChoice, ChatCompletion, ToolCall } from '../../wire/chat.ts';
import { isObject, textOrEmpty } from '../../wire/wire-values.ts';
import { type CompletionHead, completionHead } from './completion-head.ts';
import { finishReason } from './finish-reasons.ts';
import { withoutOddMembers } from './odd-members.ts';
import { cutAtStop } from './stop-cutter.ts';
import { argumentsText, newCallId } from './tool-deltas.ts';

export interface CompletionRulesOptions {
  /** For providers that give no usable ones. */
  head: CompletionHead;
  /** Stop sequences that the provider was not told. */
  stops?: readonly string[];
  callId?: () => string;
}

/**
 * The rules for chunks, for an answer that comes whole: what clients rely on is there, whatever the provider left out. Returns the same
 * object if nothing had to be mended, so that the provider's own text can be passed on.
 */
export function mendCompletion(
  completion: ChatCompletion,
  { head, stops = [], callId = newCallId }: CompletionRulesOptions,
): ChatCompletion {
  const own = completionHead(completion, head);
  let changed =
    completion.object !== 'chat.completion' ||
    completion.id !== own.id ||
    completion.created !== own.created ||
    completion.model !== own.model;
  const choices = completion.choices.map((choice, place) => {
    const mended = mendChoice(choice, place, stops, callId);
    if (mended !== choice) changed = true;
    return mended;
  });
  return changed ? { ...completion, ...own, object: 'chat.completion', choices } : completion;
}

function mendChoice(choice: ChatChoice, place: number, stops: readonly string[], callId: () => string): ChatChoice {
  // Everything here is the provider's word, which the types only hope for.
  const { index, message, logprobs, finish_reason: finish }: Record<string, unknown> = choice;
  const sent: Record<string, unknown> = isObject(message) ? message : {};
  const given = withoutOddMembers(sent);
  const calls = mendedCalls(given.tool_calls, callId);
  const called = Array.isArray(calls) && calls.length > 0;
  const reason = finishReason(finish, called) ?? (called ? 'tool_calls' : 'stop');
  const cut = typeof given.content === 'string' && stops.length > 0 ? cutAtStop(stops, given.content) : undefined;
  const content = cut ?? (typeof given.content === 'string' && !(called && given.content === '') ? given.content : null);
  const sound =
    given === sent &&
    index === place &&
    logprobs !== undefined &&
    reason === finish &&
    given.role === 'assistant' &&
    given.content === content &&
    given.refusal !== undefined &&
    calls === given.tool_calls;
  if (sound) return choice;
  const { tool_calls: _calls, ...others } = given;
  return {
    ...choice,
    index: place,
    message: {
      ...others,
      role: 'assistant',
      content,
      refusal: typeof given.refusal === 'string' ? given.refusal : null,
      ...(called && { tool_calls: calls }),
    },
    logprobs: logprobs ?? null,
    finish_reason: cut === undefined ? reason : 'stop',
  };
}

/** The calls, each with an id of its own and arguments that can be parsed; the same array if they are sound. */
function mendedCalls(calls: unknown, callId: () => string): ToolCall[] | undefined {
  if (!Array.isArray(calls)) return undefined;
  const ids = new Set<string>();
  let changed = calls.length === 0;
  const mended = calls.filter(isObject).map((call): ToolCall => {
    const { id, type, function: called, custom } = call;
    const usable = typeof id === 'string' && id !== '' && !ids.has(id) ? id : callId();
    ids.add(usable);
    if (isObject(custom)) {
      if (usable !== id) changed = true;
      return { ...call, id: usable } as unknown as ToolCall;
    }
    const parts: Record<string, unknown> = isObject(called) ? called : {};
    const text = argumentsText(parts.arguments).trim() === '' ? '{}' : argumentsText(parts.arguments);
    if (usable === id && type === 'function' && parts.arguments === text && typeof parts.name === 'string')
      return call as unknown as ToolCall;
    changed = true;
    return { ...call, id: usable, type: 'function', function: { ...parts, name: textOrEmpty(parts.name), arguments: text } };
  });
  if (!changed && mended.length === calls.length) return calls;
  return mended.length > 0 ? mended : undefined;
}
