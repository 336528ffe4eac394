import type { ChatRequest, ChatTool } from '../../wire/chat.ts';
import { requestError } from '../../wire/request-error.ts';
import { absent, checkCommon, checkInteger, isObject, objectBody, textOrEmpty, typeError } from '../../wire/wire-values.ts';
import { readInput } from './responses-input.ts';

/** A request of OpenAI's Responses API. Types name what the gateway reads. */
export interface ResponsesRequest extends Record<string, unknown> {
  model: string;
}

export interface ReadResponsesRequest {
  asked: ResponsesRequest;
  request: ChatRequest;
  warnings: string[];
}

/** Members that mean the same in a chat. */
const SAME = [
  'temperature',
  'top_p',
  'parallel_tool_calls',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
];
/** Members that the gateway reads, or that only change the form of the answer. */
const READ = new Set([
  ...SAME,
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'text',
  'reasoning',
  'max_output_tokens',
  'metadata',
  'store',
  'include',
  'top_logprobs',
  'truncation',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
]);

/** Checks a request and translates it into a chat. */
export function readResponsesRequest(body: unknown): ReadResponsesRequest {
  const asked = objectBody(body);
  checkCommon(asked);
  refuseStored(asked);
  const { messages, warnings } = readInput(asked.input);
  const { instructions, max_output_tokens: limit } = asked;
  if (!absent(instructions) && typeof instructions !== 'string') throw typeError('instructions', 'a string', instructions);
  checkInteger('max_output_tokens', limit);
  const system = typeof instructions === 'string' && instructions !== '' ? [{ role: 'system', content: instructions }] : [];
  if (messages.length + system.length === 0) throw requestError('input', "Invalid 'input': expected at least one item.", 'empty_array');
  const request: ChatRequest = {
    model: String(asked.model),
    messages: [...system, ...messages],
    ...(asked.stream === true && { stream: true }),
    ...(typeof limit === 'number' && { max_completion_tokens: limit }),
    ...Object.fromEntries(SAME.flatMap((name) => (absent(asked[name]) ? [] : [[name, asked[name]]]))),
    ...toolMembers(asked),
    ...textMembers(asked.text),
    ...reasoningMembers(asked.reasoning),
    ...logprobMembers(asked),
  };
  return { asked: asked as ResponsesRequest, request, warnings: [...warnings, ...leftOut(asked)] };
}

/** The gateway keeps no conversations. A request that relies on one would get an answer to something else. */
function refuseStored(asked: Record<string, unknown>): void {
  for (const name of ['previous_response_id', 'conversation', 'prompt']) {
    if (absent(asked[name])) continue;
    const message = `The gateway stores no responses, conversations or prompts, so that it can't use '${name}'. Send all items in 'input'.`;
    throw requestError(name, message, 'unsupported_parameter');
  }
  if (asked.background === true)
    throw requestError('background', 'The gateway runs no responses in the background.', 'unsupported_parameter');
}

function leftOut(asked: Record<string, unknown>): string[] {
  const unknown = Object.keys(asked).filter((name) => !READ.has(name) && !absent(asked[name]));
  return [
    ...(asked.store === true ? ['store: the gateway stores no responses'] : []),
    ...(asked.truncation === 'auto' ? ['truncation: the gateway shortens no input'] : []),
    ...unknown.map((name) => `${name.slice(0, 60)}: it has no meaning here and was left out`),
  ];
}

function toolMembers({ tools, tool_choice: choice }: Record<string, unknown>): Partial<ChatRequest> {
  if (absent(tools)) return {};
  if (!Array.isArray(tools)) throw typeError('tools', 'an array of objects', tools);
  if (tools.length === 0) return {};
  return { tools: tools.map(toolOf), ...(!absent(choice) && { tool_choice: choiceOf(choice) }) };
}

function toolOf(tool: unknown, index: number): ChatTool {
  const place = `tools.[${index}]`;
  if (!isObject(tool)) throw typeError(place, 'an object', tool);
  if (tool.type !== 'function') {
    const message = `The gateway offers tools of the type 'function' only, not '${textOrEmpty(tool.type).slice(0, 60)}': it runs no tools itself.`;
    throw requestError(`${place}.type`, message, 'unsupported_value');
  }
  const { name, description, parameters, strict } = tool;
  if (typeof name !== 'string') throw typeError(`${place}.name`, 'a string', name);
  return {
    type: 'function',
    function: {
      name,
      ...(typeof description === 'string' && { description }),
      ...(isObject(parameters) && { parameters: parameters as NonNullable<ChatTool['function']>['parameters'] }),
      ...(typeof strict === 'boolean' && { strict }),
    } as NonNullable<ChatTool['function']>,
  };
}

function choiceOf(choice: unknown): unknown {
  if (typeof choice === 'string') return choice;
  if (isObject(choice)) {
    if (choice.type === 'function') return { type: 'function', function: { name: choice.name } };
    if (choice.type === 'allowed_tools' && Array.isArray(choice.tools)) {
      const named = choice.tools.map((tool: unknown) => ({ type: 'function', function: { name: isObject(tool) ? tool.name : undefined } }));
      return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: named } };
    }
  }
  throw requestError(
    'tool_choice',
    "'tool_choice' must be auto, none, required, a function or a list of allowed functions.",
    'unsupported_value',
  );
}

function textMembers(text: unknown): Partial<ChatRequest> {
  if (absent(text)) return {};
  if (!isObject(text)) throw typeError('text', 'an object', text);
  const { format, verbosity } = text;
  const response_format = isObject(format) && format.type !== 'text' ? formatOf(format) : undefined;
  return { ...(response_format && { response_format }), ...(typeof verbosity === 'string' && { verbosity }) };
}

function formatOf({ type, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return type === 'json_schema' ? { type, json_schema: rest } : { type };
}

function reasoningMembers(reasoning: unknown): Partial<ChatRequest> {
  if (absent(reasoning)) return {};
  if (!isObject(reasoning)) throw typeError('reasoning', 'an object', reasoning);
  return typeof reasoning.effort === 'string' ? { reasoning_effort: reasoning.effort } : {};
}

function logprobMembers({ top_logprobs, include }: Record<string, unknown>): Partial<ChatRequest> {
  const wanted = Array.isArray(include) && include.includes('message.output_text.logprobs');
  const top = typeof top_logprobs === 'number' && top_logprobs > 0 ? top_logprobs : undefined;
  return wanted || top !== undefined ? { logprobs: true, ...(top !== undefined && { top_logprobs: top }) } : {};
}
