import type { RenderBudget } from '../../template-limits.ts';
import type { Arguments } from '../arguments.ts';
import { isArray, isEqual, isObject, joined, member, printed, toJson, type Value } from '../values.ts';
import type { Filter, Filters } from './filter.ts';

const onList = (
  summary: string,
  example: Filter['example'],
  parameters: readonly string[],
  run: (list: readonly Value[], args: Arguments, budget: RenderBudget) => Value,
): Filter => ({
  parameters,
  summary,
  example,
  run(input, args, budget) {
    const list = args.inputList(input);
    budget.spend(list.length);
    return run(list, args, budget);
  },
});

/** The value behind a path of names, such as `metadata.name`. */
function attributeOf(value: Value, path: string): Value | undefined {
  let found: Value | undefined = value;
  for (const name of path.split('.')) {
    if (isObject(found)) found = member(found, name);
    else if (isArray(found) && /^\d+$/.test(name)) found = found[Number(name)];
    else return undefined;
  }
  return found;
}

/** Sorts by comparing, which is paid for: n log n steps, more for long texts. */
function sorted(list: readonly Value[], keyOf: (value: Value) => Value, args: Arguments, budget: RenderBudget): Value[] {
  const keyed = list.map((value) => ({ value, key: keyOf(value) }));
  const type = typeof keyed[0]?.key;
  if (!keyed.every(({ key }) => typeof key === type && (type === 'number' || type === 'string' || type === 'boolean')))
    args.refuse('the values must all be numbers, or all be texts');
  return keyed
    .sort(({ key: a }, { key: b }) => {
      budget.spend(1 + (typeof a === 'string' ? a.length >> 6 : 0));
      return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
    })
    .map(({ value }) => value);
}

/** Tells equal values apart by their text, which is cheaper than comparing each with each. */
const identity = (value: Value, budget: RenderBudget): string => toJson(value, budget);

export const LIST_FILTERS: Filters = {
  first: onList('The first value; empty for an empty list', ['{{ [1, 2] | first }}', '1'], [], (list) => list[0] ?? ''),
  last: onList('The last value', ['{{ [1, 2] | last }}', '2'], [], (list) => list.at(-1) ?? ''),
  nth: onList('The value at the place `n`, from 0', ['{{ [1, 2] | nth(n=1) }}', '2'], ['n'], (list, args) => list[args.integer('n')] ?? ''),
  join: onList('All values as one text, with `sep` between them', ['{{ [1, 2] | join(sep="-") }}', '1-2'], ['sep?'], (list, args, budget) =>
    joined(list, args.text('sep', ''), budget),
  ),
  sort: onList(
    'In rising order, by an `attribute` if it is given',
    ['{{ [2, 1] | sort }}', '[1, 2]'],
    ['attribute?'],
    (list, args, budget) => {
      if (list.length === 0) return list;
      const path = args.text('attribute', '');
      return sorted(
        list,
        (value) => (path === '' ? value : attributeOf(value, path)) ?? args.refuse(`a value has no ${path}`),
        args,
        budget,
      );
    },
  ),
  unique: onList(
    'Each value once, by an `attribute` if it is given',
    ['{{ [1, 1, 2] | unique }}', '[1, 2]'],
    ['attribute?'],
    (list, args, budget) => {
      const path = args.text('attribute', '');
      const seen = new Map<string, Value>();
      for (const value of list) {
        const key = path === '' ? value : attributeOf(value, path);
        const text = key === undefined ? '' : identity(key, budget);
        if (!seen.has(text)) seen.set(text, value);
      }
      return [...seen.values()];
    },
  ),
  slice: onList(
    'From `start` up to before `end`; negative places count from the end',
    ['{{ [1, 2, 3] | slice(end=2) }}', '[1, 2]'],
    ['start?', 'end?'],
    (list, args) => list.slice(args.integer('start', 0), args.integer('end', list.length)),
  ),
  map: onList('The `attribute` of each value that has it', ['{{ [p] | map(attribute="port") }}', '[80]'], ['attribute'], (list, args) =>
    list.flatMap((value) => {
      const found = attributeOf(value, args.text('attribute'));
      return found === undefined || found === null ? [] : [found];
    }),
  ),
  filter: onList(
    'The values whose `attribute` is `value`, or that have it',
    ['{{ [p] | filter(attribute="port", value=80) | length }}', '1'],
    ['attribute', 'value?'],
    (list, args, budget) =>
      list.filter((one) => {
        const found = attributeOf(one, args.text('attribute')) ?? null;
        return args.has('value') ? isEqual(found, args.value('value'), budget) : found !== null;
      }),
  ),
  group_by: onList(
    'An object with a list for each text of an `attribute`',
    ['{{ [p] | group_by(attribute="name") | json_encode }}', '{"web":[{"name":"web","port":80}]}'],
    ['attribute'],
    (list, args, budget) => {
      const groups: Record<string, Value[]> = Object.create(null);
      for (const value of list) {
        const found = attributeOf(value, args.text('attribute')) ?? null;
        if (found === null) continue;
        const key = printed(found, budget);
        groups[key] = groups[key] ?? [];
        groups[key].push(value);
      }
      return groups;
    },
  ),
  concat: onList('With the values of `with` behind', ['{{ [1] | concat(with=[2, 3]) }}', '[1, 2, 3]'], ['with'], (list, args, budget) => {
    const more = args.value('with');
    budget.spend(isArray(more) ? more.length : 1);
    return [...list, ...(isArray(more) ? more : [more])];
  }),
  reverse: {
    parameters: [],
    summary: 'A list or a text the other way round',
    example: ['{{ [1, 2] | reverse }}', '[2, 1]'],
    run(input, args, budget) {
      if (typeof input !== 'string') return args.inputList(input).toReversed();
      budget.spend(input.length);
      return [...input].reverse().join('');
    },
  },
  length: {
    parameters: [],
    summary: 'The number of values of a list, of members of an object, of characters of a text',
    example: ['{{ [1, 2] | length }}', '2'],
    run(input, args, budget) {
      if (typeof input === 'string') {
        budget.spend(input.length >> 2);
        return [...input].length;
      }
      return isObject(input) ? Object.keys(input).length : args.inputList(input).length;
    },
  },
  get: {
    parameters: ['key', 'default?'],
    summary: 'The member of this name of an object',
    example: ['{{ p | get(key="port") }}', '80'],
    run(input, args) {
      const key = args.text('key');
      const found = member(args.inputObject(input), key);
      if (found !== undefined) return found;
      return args.has('default') ? args.value('default') : args.refuse(`there is no member "${key}"`);
    },
  },
};
