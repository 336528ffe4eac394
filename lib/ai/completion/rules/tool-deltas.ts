import { randomSecret } from '../../../platform/ids.ts';
import type { ToolCallDelta } from '../../wire/chat.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import { isObject } from '../../wire/wire-values.ts';

/** `call_` and 24 characters, for a call that its provider gave no id. */
export const newCallId = (): string => `call_${Buffer.from(randomSecret(18)).toString('base64url')}`;

interface OpenCall {
  /** The index that the provider gave it, if it gave one. */
  place: number | undefined;
  id: string;
  name: string;
  arguments: string;
  /** A call of a function, and not of a tool that takes free text. */
  takesArguments: boolean;
}

/** The tool calls of one choice, as they come in deltas. */
export interface ToolDeltas {
  readonly called: boolean;
  /** Returns the deltas as clients need them, and whether they differ from what came. */
  push(deltas: readonly unknown[]): { deltas: ToolCallDelta[]; changed: boolean };
  /** Returns what is still missing at the end: clients parse the arguments of every call. */
  end(): ToolCallDelta[];
}

/**
 * Numbers the calls of a choice densely. Providers put parallel calls on one index, leave indexes and ids out, or repeat them; clients add
 * arguments up by index, so that two calls on one index become one text that is no JSON.
 */
export function createToolDeltas(callId: () => string): ToolDeltas {
  const calls: OpenCall[] = [];

  function continued(place: number | undefined, id: string, name: string): number {
    if (id !== '') return calls.findLastIndex((call) => call.id === id);
    const latest = place === undefined ? calls.length - 1 : calls.findLastIndex((call) => call.place === place);
    const call = calls[latest];
    if (!call || name === '') return latest;
    // Without ids, a name opens a call, unless it is repeated while the arguments still come.
    return call.name === name && !isJson(call.arguments) ? latest : -1;
  }

  function take(delta: unknown): { delta: ToolCallDelta | undefined; changed: boolean } {
    if (!isObject(delta)) return { delta: undefined, changed: true };
    const { index, id, type, function: called, custom } = delta;
    const parts: Record<string, unknown> = isObject(called) ? called : {};
    const givenId = typeof id === 'string' ? id : '';
    const name = typeof parts.name === 'string' ? parts.name : '';
    const text = argumentsText(parts.arguments);
    const place = typeof index === 'number' ? index : undefined;
    const known = continued(place, givenId, name);
    const call = calls[known];
    if (call) {
      call.arguments += text;
      if (!call.takesArguments) return { delta: { ...delta, index: known }, changed: place !== known };
      if (place === known && id === undefined && type === undefined && parts.name === undefined && parts.arguments === text) {
        return { delta: { ...delta, index: known, function: { arguments: text } }, changed: false };
      }
      const { id: _id, type: _type, ...others } = delta;
      return { delta: { ...others, index: known, function: { arguments: text } }, changed: true };
    }
    const takesArguments = !isObject(custom);
    // A piece of arguments of a call that nobody has seen begin.
    if (takesArguments && name === '' && givenId === '') return { delta: undefined, changed: true };
    const opened: OpenCall = { place, id: givenId || callId(), name, arguments: text, takesArguments };
    const number = calls.push(opened) - 1;
    if (!takesArguments) return { delta: { ...delta, index: number, id: opened.id }, changed: place !== number || givenId === '' };
    const same = place === number && givenId !== '' && type === 'function' && parts.arguments === text;
    const next = { ...delta, index: number, id: opened.id, type: 'function' as const, function: { ...parts, name, arguments: text } };
    return { delta: next, changed: !same };
  }

  return {
    get called() {
      return calls.length > 0;
    },
    push(deltas) {
      const taken = deltas.map(take);
      return {
        deltas: taken.flatMap(({ delta }) => delta ?? []),
        changed: taken.some(({ changed }) => changed),
      };
    },
    end() {
      const empty = calls.map((call, index) => ({ call, index })).filter(({ call }) => call.takesArguments && call.arguments.trim() === '');
      return empty.map(({ call, index }) => {
        call.arguments = '{}';
        return { index, function: { arguments: '{}' } };
      });
    },
  };
}

/** Arguments are a text on OpenAI's wire; some servers send the object itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value;
  return isObject(value) ? JSON.stringify(value) : '';
}

const isJson = (text: string): boolean => parsePlainJson(text) !== undefined;
