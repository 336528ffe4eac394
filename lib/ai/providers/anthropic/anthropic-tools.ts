import type { ChatRequest, Json, JsonObject } from '../../wire/chat.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { requestError } from '../../wire/request-error.ts';
import { strictSchema } from './anthropic-schema.ts';
import type { ClaudeFamily } from './claude-families.ts';

/** The tool whose arguments are the answer, for models without structured output. Its calls come back to the client as text. */
export const JSON_TOOL = 'brokkr_json_answer';

export interface ToolMembers {
  tools?: Json[];
  tool_choice?: JsonObject;
  /** `output_config.format` */
  format?: JsonObject;
  /** Sentences for the system prompt, for what has no member of its own. */
  instructions: string[];
  forced: boolean;
}

/** The members for tools and for the form of the answer: both may force a tool. */
export function toolMembers(request: ChatRequest, family: ClaudeFamily, warn: (text: string) => void): ToolMembers {
  const tools = Array.isArray(request.tools) ? request.tools.map((tool, index) => toolBlock(tool, `tools.[${index}]`, family, warn)) : [];
  const instructions: string[] = [];
  const answer = answerForm(request.response_format, family);
  if (answer.instruction !== undefined) instructions.push(answer.instruction);
  let choice = tools.length > 0 ? toolChoice(request.tool_choice) : undefined;
  if (answer.tool) {
    tools.push(answer.tool);
    choice = tools.length === 1 || choice?.type === 'none' ? { type: 'tool', name: JSON_TOOL } : (choiceOfOne(choice) ?? { type: 'any' });
  }
  if (choice && isForced(choice) && !family.forcedTools) {
    warn('tool_choice was sent as an instruction: this model refuses to be forced to call a tool');
    instructions.push(choice.type === 'tool' ? `Call the tool '${String(choice.name)}' now.` : 'Call one of the tools now.');
    choice = { type: 'auto' };
  }
  if (request.parallel_tool_calls === false && tools.length > 0 && choice?.type !== 'none') {
    choice = { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true };
  }
  return {
    ...(tools.length > 0 && { tools }),
    ...(choice && { tool_choice: choice }),
    ...(answer.format && { format: answer.format }),
    instructions,
    forced: choice !== undefined && isForced(choice),
  };
}

const isForced = ({ type }: JsonObject) => type === 'any' || type === 'tool';
const choiceOfOne = (choice: JsonObject | undefined) => (choice?.type === 'tool' ? choice : undefined);

function toolBlock(tool: unknown, param: string, { jsonSchema }: ClaudeFamily, warn: (text: string) => void): JsonObject {
  if (!isJsonObject(tool)) throw requestError(param, `'${param}' must be an object.`);
  const definition = tool.function;
  if (!isJsonObject(definition)) {
    // Anthropic's own tools, such as its web search, have a type and a name and pass as they are.
    if (typeof tool.type === 'string' && tool.type !== 'function' && typeof tool.name === 'string') return tool;
    throw requestError(param, `Anthropic takes no tool of the type '${String(tool.type).slice(0, 40)}'.`, 'unsupported_value');
  }
  const { name, description, parameters } = definition;
  const strict = definition.strict === true && jsonSchema;
  if (typeof name !== 'string') throw requestError(`${param}.function.name`, `'${param}.function.name' must be a text.`);
  if (definition.strict === true && !strict) warn('strict was left out: this model does not hold the arguments of tools to their schema');
  const cache_control = tool.cache_control ?? definition.cache_control;
  return {
    name,
    ...(typeof description === 'string' && description !== '' && { description }),
    input_schema: inputSchema(parameters, strict, `${param}.function.parameters`),
    ...(strict && { strict }),
    ...(isJsonObject(cache_control) && { cache_control }),
  };
}

function inputSchema(parameters: unknown, strict: boolean, param: string): JsonObject {
  if (parameters === undefined || parameters === null) return { type: 'object', properties: {} };
  if (!isJsonObject(parameters)) throw requestError(param, `'${param}' must be a JSON schema.`);
  const schema = parameters.type === undefined ? { type: 'object', ...parameters } : parameters;
  return strict ? strictSchema(schema, param) : schema;
}

function toolChoice(choice: unknown): JsonObject | undefined {
  if (choice === 'auto' || choice === 'none') return { type: choice };
  if (choice === 'required') return { type: 'any' };
  if (!isJsonObject(choice)) return undefined;
  const name = isJsonObject(choice.function) ? choice.function.name : choice.name;
  if (choice.type === 'allowed_tools') {
    const mode = isJsonObject(choice.allowed_tools) ? choice.allowed_tools.mode : choice.mode;
    return { type: mode === 'required' ? 'any' : 'auto' };
  }
  return typeof name === 'string' ? { type: 'tool', name } : undefined;
}

interface AnswerForm {
  format?: JsonObject;
  tool?: JsonObject;
  instruction?: string;
}

function answerForm(format: unknown, { jsonSchema }: ClaudeFamily): AnswerForm {
  if (!isJsonObject(format)) return {};
  if (format.type === 'json_object')
    return { instruction: 'Answer with one valid JSON object and nothing else: no other text, no code fence.' };
  if (format.type !== 'json_schema') return {};
  const param = 'response_format.json_schema.schema';
  const { schema, description } = isJsonObject(format.json_schema) ? format.json_schema : {};
  if (!isJsonObject(schema)) throw requestError(param, `'${param}' must be a JSON schema.`);
  if (jsonSchema) return { format: { type: 'json_schema', schema: strictSchema(schema, param) } };
  const input_schema = schema.type === undefined ? { type: 'object', ...schema } : schema;
  const purpose =
    typeof description === 'string' && description !== '' ? description : 'Gives the answer. Call it exactly once, with the whole answer.';
  return { tool: { name: JSON_TOOL, description: purpose, input_schema } };
}
