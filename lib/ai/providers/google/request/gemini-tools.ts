import type { ChatRequest, ChatTool } from '../../../wire/chat.ts';
import { inlineRefs, isJsonObject } from '../../../wire/json-schema-refs.ts';
import { requestError } from '../../../wire/request-error.ts';
import { isObject, textOrEmpty } from '../../../wire/wire-values.ts';
import { geminiParameters } from './gemini-schema.ts';

export interface GeminiTools {
  tools?: { functionDeclarations: Record<string, unknown>[] }[];
  toolConfig?: Record<string, unknown>;
  warnings: string[];
}

export function geminiTools(request: ChatRequest): GeminiTools {
  const listed = request.tools ?? legacyFunctions(request);
  if (listed === null || listed === undefined) return { warnings: [] };
  if (!Array.isArray(listed)) throw requestError('tools', "'tools' must be a list.");
  const declarations = listed.map(declaration);
  if (declarations.length === 0) return { warnings: [] };
  const { config, only } = toolChoice(request);
  const offered = only ? declarations.filter(({ name }) => only.includes(String(name))) : declarations;
  const warnings =
    request.parallel_tool_calls === false
      ? ["parallel_tool_calls: Google's models have no switch for it; several calls may come at once"]
      : [];
  return {
    tools: [{ functionDeclarations: offered }],
    ...(config && { toolConfig: { functionCallingConfig: config } }),
    warnings,
  };
}

const legacyFunctions = ({ functions }: ChatRequest): ChatTool[] | undefined =>
  Array.isArray(functions)
    ? functions.map((item: ChatTool['function']) => ({ type: 'function', ...(item && { function: item }) }))
    : undefined;

function declaration(tool: ChatTool, index: number): Record<string, unknown> {
  const place = `tools.[${index}]`;
  if (!isObject(tool) || tool.type !== 'function') {
    throw requestError(
      `${place}.type`,
      `Google's models are offered tools of the type 'function' only, not '${textOrEmpty(tool?.type).slice(0, 60)}'.`,
    );
  }
  const { name, description, parameters } = isObject(tool.function) ? tool.function : { name: undefined };
  if (typeof name !== 'string') throw requestError(`${place}.function.name`, `'${place}.function.name' must be a text.`);
  const param = `${place}.function.parameters`;
  if (parameters !== undefined && parameters !== null && !isJsonObject(parameters))
    throw requestError(param, `'${param}' must be an object.`);
  const schema = parameters ? geminiParameters(inlineRefs(parameters, param)) : undefined;
  return { name, ...(typeof description === 'string' && { description }), ...(schema && { parameters: schema }) };
}

interface Choice {
  config?: { mode: 'AUTO' | 'ANY' | 'NONE'; allowedFunctionNames?: string[] };
  /** The only functions that may be offered. */
  only?: string[];
}

function toolChoice({ tool_choice, function_call }: ChatRequest): Choice {
  const choice = tool_choice ?? function_call;
  if (choice === undefined || choice === null) return {};
  if (choice === 'auto') return { config: { mode: 'AUTO' } };
  if (choice === 'none') return { config: { mode: 'NONE' } };
  if (choice === 'required' || choice === 'any') return { config: { mode: 'ANY' } };
  if (isObject(choice) && choice.type === 'allowed_tools') return allowedTools(choice.allowed_tools ?? choice);
  const name = nameOf(choice);
  if (name !== undefined) return { config: { mode: 'ANY', allowedFunctionNames: [name] } };
  throw requestError('tool_choice', "'tool_choice' must be auto, none, required or name a function.");
}

function allowedTools(allowed: unknown): Choice {
  const { mode, tools } = isObject(allowed) ? allowed : {};
  const names = Array.isArray(tools) ? tools.map(nameOf).filter((name) => name !== undefined) : [];
  if (names.length === 0) throw requestError('tool_choice.allowed_tools.tools', "'tool_choice.allowed_tools.tools' must name functions.");
  if (mode === 'required') return { config: { mode: 'ANY', allowedFunctionNames: names } };
  return { config: { mode: 'AUTO' }, only: names };
}

function nameOf(choice: unknown): string | undefined {
  if (!isObject(choice)) return undefined;
  const { name } = isObject(choice.function) ? choice.function : choice;
  return typeof name === 'string' ? name : undefined;
}
