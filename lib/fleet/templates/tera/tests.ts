import { TemplateRenderError } from '../template-error.ts';
import type { RenderBudget } from '../template-limits.ts';
import { isArray, isEqual, isObject, typeName, type Value } from './values.ts';

/** A test, as in `x is odd`, with what the guide says of it. */
export interface Test {
  parameters: readonly string[];
  summary: string;
  example: readonly [template: string, output: string];
  run(subject: Value | undefined, args: readonly Value[], budget: RenderBudget): boolean;
}

const fail = (message: string): never => {
  throw new TemplateRenderError(message);
};
const onDefined =
  (name: string, run: (subject: Value, args: readonly Value[], budget: RenderBudget) => boolean): Test['run'] =>
  (subject, args, budget) =>
    subject === undefined ? fail(`the test "${name}" needs a value that is defined`) : run(subject, args, budget);
const numberIn = (name: string, value: Value | undefined): number =>
  typeof value === 'number' ? value : fail(`the test "${name}" works on numbers, not on ${typeName(value ?? null)}`);
const textIn = (name: string, value: Value | undefined): string =>
  typeof value === 'string' ? value : fail(`the test "${name}" works on texts, not on ${typeName(value ?? null)}`);
/** A text that is compared with a part of another one. */
function compared(name: string, value: Value | undefined, budget: RenderBudget): string {
  const text = textIn(name, value);
  budget.text(text.length);
  return text;
}

export function contains(haystack: Value, needle: Value, budget: RenderBudget): boolean {
  if (typeof haystack === 'string') {
    const wanted = textIn('containing', needle);
    budget.text(haystack.length);
    budget.search(haystack, wanted);
    return haystack.includes(wanted);
  }
  if (isArray(haystack)) return haystack.some((value) => isEqual(value, needle, budget));
  if (isObject(haystack)) return Object.hasOwn(haystack, textIn('containing', needle));
  return fail(`only a text, a list or an object can contain something, not ${typeName(haystack)}`);
}

const yes = (condition: string) => [`{% if ${condition} %}yes{% endif %}`, 'yes'] as const;

export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  [
    'defined',
    { parameters: [], summary: 'There is such a variable', example: yes('name is defined'), run: (subject) => subject !== undefined },
  ],
  [
    'undefined',
    { parameters: [], summary: 'There is none', example: yes('missing is undefined'), run: (subject) => subject === undefined },
  ],
  [
    'odd',
    {
      parameters: [],
      summary: 'An odd number',
      example: yes('three is odd'),
      run: onDefined('odd', (subject) => numberIn('odd', subject) % 2 !== 0),
    },
  ],
  [
    'even',
    {
      parameters: [],
      summary: 'An even number',
      example: yes('three is not even'),
      run: onDefined('even', (subject) => numberIn('even', subject) % 2 === 0),
    },
  ],
  [
    'string',
    {
      parameters: [],
      summary: 'A text',
      example: yes('name is string'),
      run: onDefined('string', (subject) => typeof subject === 'string'),
    },
  ],
  [
    'number',
    {
      parameters: [],
      summary: 'A number',
      example: yes('three is number'),
      run: onDefined('number', (subject) => typeof subject === 'number'),
    },
  ],
  ['object', { parameters: [], summary: 'An object', example: yes('p is object'), run: onDefined('object', isObject) }],
  [
    'iterable',
    {
      parameters: [],
      summary: 'A list or an object',
      example: yes('p is iterable'),
      run: onDefined('iterable', (subject) => isArray(subject) || isObject(subject)),
    },
  ],
  [
    'divisibleby',
    {
      parameters: ['divisor'],
      summary: 'A number without a remainder',
      example: yes('three is divisibleby(3)'),
      run: onDefined('divisibleby', (subject, [by]) => numberIn('divisibleby', subject) % numberIn('divisibleby', by) === 0),
    },
  ],
  [
    'starting_with',
    {
      parameters: ['text'],
      summary: 'A text that begins so',
      example: yes('name is starting_with("w")'),
      run: onDefined('starting_with', (subject, [text], budget) =>
        textIn('starting_with', subject).startsWith(compared('starting_with', text, budget)),
      ),
    },
  ],
  [
    'ending_with',
    {
      parameters: ['text'],
      summary: 'A text that ends so',
      example: yes('name is ending_with("b")'),
      run: onDefined('ending_with', (subject, [text], budget) =>
        textIn('ending_with', subject).endsWith(compared('ending_with', text, budget)),
      ),
    },
  ],
  [
    'containing',
    {
      parameters: ['value'],
      summary: 'A text, list or object that contains it',
      example: yes('name is containing("e")'),
      run: onDefined('containing', (subject, [value = null], budget) => contains(subject, value, budget)),
    },
  ],
]);
