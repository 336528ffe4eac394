import { requestError } from '../../wire/request-error.ts';
import { absent, checkCommon, isObject, objectBody, typeError } from '../../wire/wire-values.ts';

/** A message in Anthropic's form. */
export interface MessageParam extends Record<string, unknown> {
  role: string;
  content: string | Block[];
}
export interface Block extends Record<string, unknown> {
  type: string;
}

/** A request of Anthropic's Messages API. Types name what the gateway reads; all other members are kept as they are. */
export interface MessagesRequest extends Record<string, unknown> {
  model: string;
  messages: MessageParam[];
  system?: string | Block[] | null;
  tools?: Block[] | Record<string, unknown>[] | null;
  stream?: boolean | null;
}

/**
 * Checks a request as far as the gateway itself needs it: enough to route, to limit and to translate it. Everything else is between the
 * caller and the provider.
 */
export function checkMessagesRequest(parsed: unknown): MessagesRequest {
  const body = objectBody(parsed);
  checkCommon(body);
  const { messages, system, tools } = body;
  if (!Array.isArray(messages)) throw typeError('messages', 'an array of objects', messages);
  if (messages.length === 0) throw requestError('messages', 'messages: at least one message is required', 'empty_array');
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index], `messages.[${index}]`);
  if (!absent(system) && typeof system !== 'string') checkBlocks(system, 'system');
  if (!absent(tools) && !(Array.isArray(tools) && tools.every(isObject))) throw typeError('tools', 'an array of objects', tools);
  return body as MessagesRequest;
}

function checkMessage(message: unknown, param: string): void {
  if (!isObject(message)) throw typeError(param, 'an object', message ?? undefined);
  if (typeof message.role !== 'string') throw typeError(`${param}.role`, 'a string', message.role);
  if (typeof message.content !== 'string') checkBlocks(message.content, `${param}.content`);
}

function checkBlocks(blocks: unknown, param: string): void {
  if (!Array.isArray(blocks)) throw typeError(param, 'a string or an array of objects', blocks);
  blocks.forEach((block: unknown, index) => {
    if (!isObject(block)) throw typeError(`${param}.[${index}]`, 'an object', block ?? undefined);
    if (typeof block.type !== 'string') throw typeError(`${param}.[${index}].type`, 'a string', block.type);
  });
}
