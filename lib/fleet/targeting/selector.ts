import * as z from 'zod';
import { fleetError } from '../fleet-errors.ts';

/** Labels are bare strings, annotations are pairs. An agent and a stack match if they share a label, or a pair, to the letter. */
const MAX_LENGTH = 64;

function broken(value: string): string | undefined {
  if (value === '') return 'must not be empty';
  if (value.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  if (/\s/u.test(value)) return 'must not contain white space';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  return /[\u0000-\u001f\u007f]/.test(value) ? 'must not contain control characters' : undefined;
}

/** Describes labels, keys and values in the OpenAPI document. The checks below return the contract's codes; a test compares the two. */
export const DescribedSelector = z.string().meta({ minLength: 1, maxLength: MAX_LENGTH, pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$' });
/** An agent's annotation may have an empty value. */
export const DescribedAgentValue = z.string().meta({ maxLength: MAX_LENGTH, pattern: '^[^\\s\\u0000-\\u001f\\u007f]*$' });

/** Tells whether a label or an annotation's key can have this text, so that an impossible text is not looked for. */
export const isSelectorText = (text: string): boolean => broken(text) === undefined;

export function checkLabel(label: string): string {
  const rule = broken(label);
  if (rule) throw fleetError('invalid_label', { message: `label ${rule}`, details: { field: 'label', rule } });
  return label;
}

/** The contract allows an empty value for an agent's annotation, but not for a stack's. So an empty value matches no stack. */
export function checkAnnotation(owner: 'agent' | 'stack' | 'template', key: string, value: string): void {
  for (const [field, text] of Object.entries({ key, value })) {
    const rule = field === 'value' && value === '' && owner === 'agent' ? undefined : broken(text);
    if (rule) throw fleetError('invalid_annotation', { message: `${field} ${rule}`, details: { field, rule } });
  }
}
