import { isObject } from '../../wire/wire-values.ts';

/**
 * Brings the text of reasoning to its one place, `reasoning_content`. Some servers call it `reasoning`, Mistral puts it among the parts of
 * the content. Returns whether anything was changed.
 */
export function mendReasoning(choices: readonly unknown[], member: 'delta' | 'message'): boolean {
  let changed = false;
  for (const choice of choices) {
    const message = isObject(choice) ? choice[member] : undefined;
    if (!isObject(message)) continue;
    if (typeof message.reasoning === 'string' && message.reasoning !== '' && message.reasoning_content === undefined) {
      message.reasoning_content = message.reasoning;
      changed = true;
    }
    if (!Array.isArray(message.content)) continue;
    changed = true;
    const parts = message.content.filter(isObject);
    const thoughts = parts.filter(({ type }) => type === 'thinking').map(({ thinking }) => textIn(thinking));
    if (thoughts.length > 0) message.reasoning_content = `${textIn(message.reasoning_content)}${thoughts.join('')}`;
    message.content = textIn(parts.filter(({ type }) => type === 'text'));
  }
  return changed;
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}
