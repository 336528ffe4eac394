import { printed, toJson } from '../values.ts';
import type { Filter, Filters } from './filter.ts';
import { LIST_FILTERS } from './list-filters.ts';
import { NUMBER_FILTERS } from './number-filters.ts';
import { TEXT_FILTERS } from './text-filters.ts';

const OTHER_FILTERS: Filters = {
  default: {
    parameters: ['value'],
    summary: '`value` where the input is undefined or null',
    example: ['{{ missing | default(value="x") }}', 'x'],
    // What is undefined reaches no other filter: see evaluate.ts.
    run: (input, args) => input ?? args.value('value'),
  },
  json_encode: {
    parameters: ['pretty?'],
    summary: 'As JSON, with names in order; `pretty` on several lines',
    example: ['{{ p | json_encode }}', '{"name":"web","port":80}'],
    run: (input, args, budget) => toJson(input, budget, args.flag('pretty')),
  },
  as_str: {
    parameters: [],
    summary: 'As it is printed, as a text',
    example: ['{{ [1, 2] | as_str | length }}', '6'],
    run: (input, _args, budget) => printed(input, budget),
  },
  safe: {
    parameters: [],
    summary: 'The input itself: nothing is escaped here',
    example: ['{{ "<a>" | safe }}', '<a>'],
    run: (input) => input,
  },
};

/** Every filter, by its name. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map(
  Object.entries({ ...TEXT_FILTERS, ...LIST_FILTERS, ...NUMBER_FILTERS, ...OTHER_FILTERS }),
);
