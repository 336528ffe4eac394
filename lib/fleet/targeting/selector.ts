import * as z from 'zod';
import { fleetError } from '../fleet-errors.ts';

/** Labels are bare strings, annotations pairs. An agent and a stack match where they share one label, or one pair, exactly. */
const MAX_LENGTH = 64;

function broken(value: string): string | undefined {
  if (value === '') return 'must not be empty';
  if (value.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  if (/\s/u.test(value)) return 'must not contain white space';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  return /[\u0000-\u001f\u007f]/.test(value) ? 'must not contain control characters' : undefined;
}

/** Labels, keys and values as the OpenAPI document describes them: the checks below refuse with the contract's codes. A test holds the two together. */
export const DescribedSelector = z.string().meta({ minLength: 1, maxLength: MAX_LENGTH, pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$' });
/** An agent's annotation may have an empty value. */
export const DescribedAgentValue = z.string().meta({ maxLength: MAX_LENGTH, pattern: '^[^\\s\\u0000-\\u001f\\u007f]*$' });

/** Whether anything can be labelled so, or annotated under this key: what can't is not looked for. */
export const isSelectorText = (text: string): boolean => broken(text) === undefined;

export function checkLabel(label: string): string {
  const rule = broken(label);
  if (rule) throw fleetError('invalid_label', { message: `label ${rule}`, details: { field: 'label', rule } });
  return label;
}

/** The value of an agent's annotation may be empty, as the contract has it; a stack's then has nothing to match it with. */
export function checkAnnotation(owner: 'agent' | 'stack', key: string, value: string): void {
  for (const [field, text] of Object.entries({ key, value })) {
    const rule = field === 'value' && value === '' && owner === 'agent' ? undefined : broken(text);
    if (rule) throw fleetError('invalid_annotation', { message: `${field} ${rule}`, details: { field, rule } });
  }
}
