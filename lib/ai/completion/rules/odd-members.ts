import { isObject } from '../../wire/wire-values.ts';

const TEXTS = ['content', 'reasoning_content', 'refusal'];
const isText = (value: unknown) => typeof value === 'string' || value === null;
const isDetails = (value: unknown) => Array.isArray(value) && value.every(isObject);

/**
 * A message, or a piece of one, without the members that have not the type that clients and fronts count on: a server that sends a number
 * as its content has sent no content. Returns the same object if all are sound.
 */
export function withoutOddMembers<T extends Readonly<Record<string, unknown>>>(message: T): T {
  const odd = TEXTS.filter((name) => message[name] !== undefined && !isText(message[name]));
  if (message.reasoning_details !== undefined && !isDetails(message.reasoning_details)) odd.push('reasoning_details');
  return odd.length === 0 ? message : (Object.fromEntries(Object.entries(message).filter(([name]) => !odd.includes(name))) as T);
}
