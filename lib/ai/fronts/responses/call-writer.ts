import type { OutputEvents } from './output-events.ts';
import { callItem } from './response-items.ts';
import { type ItemStatus, itemId } from './response-object.ts';

export interface CallWriter {
  add(argumentsText: string): void;
  close(status: ItemStatus): void;
}

/** Begins the call of a function. */
export function beginFunctionCall(output: OutputEvents, nowMs: number, begun: { id: string; name: string }): CallWriter {
  const id = itemId('fc', nowMs);
  const call = { ...begun, arguments: '' };
  const place = output.begin(callItem(id, call, 'in_progress'));
  const where = { item_id: id, output_index: place };
  const add = (text: string) => {
    call.arguments += text;
    if (text !== '') output.emit('response.function_call_arguments.delta', { ...where, delta: text });
  };
  return {
    add,
    close(status) {
      // Clients parse the arguments, and an empty text is no JSON.
      if (call.arguments === '') add('{}');
      output.emit('response.function_call_arguments.done', { ...where, name: call.name, arguments: call.arguments });
      output.end(place, callItem(id, call, status));
    },
  };
}
