import { isObject, textOrEmpty } from './wire-values.ts';

/** The name of a tool and what it is called with. */
export interface CalledTool {
  name: string;
  arguments: string;
}

/** What a call or a delta of one names: a function with arguments, or a custom tool with free text. Empty where the provider sent nothing. */
export function calledTool(call: object): CalledTool {
  const { function: called, custom } = call as { function?: unknown; custom?: unknown };
  if (isObject(called)) return { name: textOrEmpty(called.name), arguments: textOrEmpty(called.arguments) };
  return isObject(custom) ? { name: textOrEmpty(custom.name), arguments: textOrEmpty(custom.input) } : { name: '', arguments: '' };
}
