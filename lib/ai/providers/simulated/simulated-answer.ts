import { isObject } from '../../wire/wire-values.ts';
import { lastTextOf, type SimulatedWishes } from './simulated-wishes.ts';

/** The content of a simulated answer. */
export interface SimulatedContent {
  /** Pieces of text; a stream has a chunk for each. */
  pieces: string[];
  reasoning: string | undefined;
  calls: { name: string; arguments: string }[];
  finish: 'stop' | 'length' | 'tool_calls';
}

const SAYS_WHAT_IT_IS = 'This is a simulated answer. No model was asked.';

/** Makes up an answer. The same request always gets the same. */
export function simulatedContent(body: Record<string, unknown>, wishes: SimulatedWishes): SimulatedContent {
  const calls = toolCalls(body, wishes);
  const reasoning = wishes.reason ? 'The request asks for reasoning, so this is simulated reasoning.' : undefined;
  if (calls.length > 0) return { pieces: [], reasoning, calls, finish: 'tool_calls' };
  const whole = untilStop(textFor(body, wishes), body.stop);
  const pieces = whole.match(/\s*\S+|\s+$/g) ?? [];
  const limit = Number(body.max_completion_tokens ?? body.max_tokens ?? Number.POSITIVE_INFINITY);
  return limit < pieces.length
    ? { pieces: pieces.slice(0, limit), reasoning, calls, finish: 'length' }
    : { pieces, reasoning, calls, finish: 'stop' };
}

/** About as many tokens as a real model would count. */
export const simulatedTokens = (text: string): number => Math.ceil(text.length / 4);

function textFor(body: Record<string, unknown>, wishes: SimulatedWishes): string {
  const said = lastTextOf(body.messages);
  if (wishes.count !== undefined) return Array.from({ length: wishes.count }, (_, index) => String(index + 1)).join(' ');
  if (wishes.echo) return said;
  const { response_format: format } = body;
  if (isObject(format) && format.type === 'json_object') return '{"simulated":true}';
  if (isObject(format) && format.type === 'json_schema' && isObject(format.json_schema)) {
    return JSON.stringify(valueFor(format.json_schema.schema, 0));
  }
  const shown = said.replace(/\[\[simulate [^\]]*\]\]/, '').trim();
  return shown === '' ? SAYS_WHAT_IT_IS : `${SAYS_WHAT_IT_IS} You said: ${shown.slice(0, 200)}`;
}

function untilStop(text: string, stop: unknown): string {
  const stops = (Array.isArray(stop) ? stop : [stop]).filter((one): one is string => typeof one === 'string' && one !== '');
  return stops.reduce((rest, one) => (rest.includes(one) ? rest.slice(0, rest.indexOf(one)) : rest), text);
}

function toolCalls({ tools, tool_choice, messages }: Record<string, unknown>, wishes: SimulatedWishes): SimulatedContent['calls'] {
  const functions = (Array.isArray(tools) ? tools : [])
    .filter(isObject)
    .map((tool) => tool.function)
    .filter(isObject);
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  // After the result of a tool comes the answer.
  if (functions.length === 0 || tool_choice === 'none' || (isObject(last) && last.role === 'tool')) return [];
  const named = isObject(tool_choice) && isObject(tool_choice.function) ? tool_choice.function.name : undefined;
  const wanted = wishes.tools ?? (named !== undefined || tool_choice === 'required' ? 1 : 0);
  const usable = named === undefined ? functions : functions.filter(({ name }) => name === named);
  return Array.from({ length: usable.length > 0 ? wanted : 0 }, (_, index) => {
    const tool = usable[index % usable.length] ?? {};
    return { name: String(tool.name), arguments: JSON.stringify(valueFor(tool.parameters ?? { type: 'object' }, 0)) };
  });
}

const DEEPEST = 8;

/** The smallest value that a simple schema allows. */
function valueFor(schema: unknown, depth: number): unknown {
  if (!isObject(schema) || depth > DEEPEST) return null;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return valueFor(choices[0], depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return 'simulated';
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 1;
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: Math.min(Number(schema.minItems ?? 0) || 0, 8) }, () => valueFor(schema.items, depth + 1));
    case 'null':
      return null;
    default: {
      const { properties, required } = schema;
      const needed = Array.isArray(required) ? required : [];
      const members = isObject(properties) ? Object.entries(properties).filter(([name]) => needed.includes(name)) : [];
      return Object.fromEntries(members.map(([name, member]) => [name, valueFor(member, depth + 1)]));
    }
  }
}
