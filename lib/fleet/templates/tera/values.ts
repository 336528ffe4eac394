import { TemplateRenderError } from '../template-error.ts';
import type { RenderBudget } from '../template-limits.ts';

/** A JSON value: all that a template knows. Undefined means that there is none of this name. */
export type Value = null | boolean | number | string | readonly Value[] | ValueObject;
export interface ValueObject {
  readonly [name: string]: Value;
}

export const isObject = (value: Value | undefined): value is ValueObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isArray = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

/** A member by its own name; nothing is inherited. */
export const member = (value: ValueObject, name: string): Value | undefined => (Object.hasOwn(value, name) ? value[name] : undefined);

export const typeName = (value: Value): string => {
  if (value === null) return 'null';
  if (isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : `a ${typeof value}`;
};

/** The names of an object's members. To collect them takes some 200 ns for each. */
export function namesOf(value: ValueObject, budget: RenderBudget): string[] {
  const names = Object.keys(value);
  budget.spend(4 * names.length);
  return names;
}

/** Objects are gone through in the order of their names, as Tera does. */
export function sortedNames(value: ValueObject, budget: RenderBudget): string[] {
  const names = namesOf(value, budget);
  budget.spend(names.length * Math.ceil(Math.log2(names.length + 1)));
  return names.sort();
}

/** What counts as true in a condition: everything but null, false, 0, and what is empty. */
export function isTrue(value: Value | undefined, budget: RenderBudget): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'object') return (isArray(value) ? value : namesOf(value, budget)).length > 0;
  return Boolean(value);
}

/** A value as it is printed: null is empty, an object is `[object]`, a list is in brackets. */
export function printed(value: Value, budget: RenderBudget): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (isArray(value)) return budget.deeper(() => `[${joined(value, ', ', budget)}]`);
  return isObject(value) ? '[object]' : typeof value === 'number' ? numberText(value) : String(value);
}

/** A number without an exponent. JavaScript writes one for numbers below 0.000001; numbers above 2^53 don't get here. */
function numberText(number: number): string {
  const [digits = '', exponent] = String(Math.abs(number)).split('e-');
  if (exponent === undefined) return String(number);
  return `${number < 0 ? '-' : ''}0.${'0'.repeat(Number(exponent) - 1)}${digits.replace('.', '')}`;
}

export function joined(values: readonly Value[], separator: string, budget: RenderBudget): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    const next = printed(value, budget);
    const part = index === 0 ? next : separator + next;
    budget.text(text.length + part.length, part.length + 8);
    text += part;
  }
  return text;
}

export function isEqual(a: Value, b: Value, budget: RenderBudget): boolean {
  budget.spend(1);
  if (isArray(a))
    return isArray(b) && a.length === b.length && budget.deeper(() => a.every((value, n) => isEqual(value, b[n] ?? null, budget)));
  if (typeof a === 'string' && typeof b === 'string' && a.length === b.length) budget.text(a.length);
  if (!isObject(a)) return a === b;
  if (!isObject(b)) return false;
  const names = namesOf(a, budget);
  if (names.length !== namesOf(b, budget).length) return false;
  return budget.deeper(() => names.every((name) => Object.hasOwn(b, name) && isEqual(a[name] ?? null, b[name] ?? null, budget)));
}

/** JSON with sorted names. */
export function toJson(value: Value, budget: RenderBudget, pretty = false, indent = ''): string {
  budget.spend(1);
  const inner = `${indent}  `;
  const wrap = (open: string, parts: string[], close: string) => {
    if (parts.length === 0) return open + close;
    const text = pretty ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}` : `${open}${parts.join(',')}${close}`;
    budget.text(text.length);
    return text;
  };
  if (isArray(value))
    return budget.deeper(() =>
      wrap(
        '[',
        value.map((one) => toJson(one, budget, pretty, inner)),
        ']',
      ),
    );
  if (!isObject(value)) {
    if (typeof value === 'string') budget.text(value.length);
    return JSON.stringify(value);
  }
  const separator = pretty ? ': ' : ':';
  return budget.deeper(() =>
    wrap(
      '{',
      sortedNames(value, budget).map((name) => `${JSON.stringify(name)}${separator}${toJson(value[name] ?? null, budget, pretty, inner)}`),
      '}',
    ),
  );
}

/** A number that can be told exactly: beyond 2^53 whole numbers run into each other. */
export function exact(number: number): number {
  if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number)))
    throw new TemplateRenderError('a number is too large to be exact');
  return number;
}
