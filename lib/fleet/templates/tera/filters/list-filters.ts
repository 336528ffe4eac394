import type { RenderBudget } from '../../template-limits.ts';
import type { Arguments } from '../arguments.ts';
import { isArray, isEqual, isObject, joined, member, namesOf, printed, toJson, type Value } from '../values.ts';
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

/** Reads what is behind a path of names, such as `metadata.name`, in each of a list. */
function attributeReader(path: string, list: readonly Value[], budget: RenderBudget): (value: Value) => Value | undefined {
  budget.text(path.length);
  const names = path.split('.');
  budget.spend(names.length * (list.length + 1));
  return (value) => attributeOf(value, names);
}

function attributeOf(value: Value, names: readonly string[]): Value | undefined {
  let found: Value | undefined = value;
  for (const name of names) {
    if (isObject(found)) found = member(found, name);
    else if (isArray(found) && /^\d+$/.test(name)) found = found[Number(name)];
    else return undefined;
  }
  return found;
}

/** Reads the attribute of each value, or takes the value itself if none is asked for. */
const keyReader = (list: readonly Value[], args: Arguments, budget: RenderBudget): ((value: Value) => Value | undefined) =>
  args.has('attribute') ? attributeReader(args.text('attribute'), list, budget) : (value) => value;

/** Sorts by comparing, which is paid for: n log n steps, more for long texts. */
function sorted(list: readonly Value[], keyOf: (value: Value) => Value, args: Arguments, budget: RenderBudget): Value[] {
  const keyed = list.map((value) => {
    const key = keyOf(value);
    // As in Tera lists are put in order by their length.
    return { value, key: isArray(key) ? key.length : key };
  });
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
      const keyOf = keyReader(list, args, budget);
      return sorted(list, (value) => keyOf(value) ?? args.refuse(`a value has no ${args.text('attribute', 'value')}`), args, budget);
    },
  ),
  unique: onList(
    'Each value once, by an `attribute` if it is given; `A` and `a` are two only if `case_sensitive`',
    ['{{ [1, 1, 2] | unique }}', '[1, 2]'],
    ['attribute?', 'case_sensitive?'],
    (list, args, budget) => {
      const keyOf = keyReader(list, args, budget);
      const exactly = args.flag('case_sensitive');
      const seen = new Map<string, Value>();
      for (const value of list) {
        const key = keyOf(value);
        // Values are told apart by their JSON: cheaper than to compare each with each.
        const text = key === undefined ? '' : toJson(typeof key === 'string' && !exactly ? key.toLowerCase() : key, budget);
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
  map: onList(
    'The `attribute` of each value that has it',
    ['{{ [p] | map(attribute="port") }}', '[80]'],
    ['attribute'],
    (list, args, budget) =>
      list.map(attributeReader(args.text('attribute'), list, budget)).filter((found) => found !== undefined && found !== null),
  ),
  filter: onList(
    'The values whose `attribute` is `value`, or that have it',
    ['{{ [p] | filter(attribute="port", value=80) | length }}', '1'],
    ['attribute', 'value?'],
    (list, args, budget) => {
      const attribute = attributeReader(args.text('attribute'), list, budget);
      return list.filter((one) => {
        const found = attribute(one) ?? null;
        if (found === null) return false;
        return args.has('value') ? isEqual(found, args.value('value'), budget) : true;
      });
    },
  ),
  group_by: onList(
    'An object with a list for each text of an `attribute`',
    ['{{ [p] | group_by(attribute="name") | json_encode }}', '{"web":[{"name":"web","port":80}]}'],
    ['attribute'],
    (list, args, budget) => {
      const attribute = attributeReader(args.text('attribute'), list, budget);
      const groups: Record<string, Value[]> = Object.create(null);
      for (const value of list) {
        const found = attribute(value) ?? null;
        if (found === null) continue;
        const key = printed(found, budget);
        groups[key] ??= [];
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
      budget.spend(typeof input === 'string' ? input.length : args.inputList(input).length);
      if (typeof input !== 'string') return args.inputList(input).toReversed();
      return [...input].reverse().join('');
    },
  },
  length: {
    parameters: [],
    summary: 'The number of values of a list, of members of an object, of characters of a text',
    example: ['{{ [1, 2] | length }}', '2'],
    run(input, args, budget) {
      if (typeof input === 'string') {
        budget.spend(input.length);
        return [...input].length;
      }
      return isObject(input) ? namesOf(input, budget).length : args.inputList(input).length;
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
