import { TemplateRenderError } from '../template-error.ts';
import type { RenderBudget } from '../template-limits.ts';
import type { Arguments } from './arguments.ts';
import type { Value } from './values.ts';

/** A function, with what the guide says of it. */
export interface TeraFunction {
  parameters: readonly string[];
  summary: string;
  example: readonly [template: string, output: string];
  run(args: Arguments, budget: RenderBudget): Value;
}

export const FUNCTIONS: ReadonlyMap<string, TeraFunction> = new Map<string, TeraFunction>([
  [
    'range',
    {
      parameters: ['end', 'start?', 'step_by?'],
      summary: 'The whole numbers from `start` (0) up to before `end`, in steps of `step_by` (1)',
      example: ['{{ range(end=3) }}', '[0, 1, 2]'],
      run(args, budget) {
        const [start, end, step] = [args.integer('start', 0), args.integer('end'), args.integer('step_by', 1)];
        if (step < 1) args.refuse('the argument "step_by" must be 1 or more');
        if (start > end) args.refuse('the argument "start" must not be greater than "end"');
        const count = Math.ceil((end - start) / step);
        budget.spend(count);
        return Array.from({ length: count }, (_, n) => start + n * step);
      },
    },
  ],
  [
    'throw',
    {
      parameters: ['message'],
      summary: 'Fails with this message',
      example: ['{% if three > 5 %}{{ throw(message="too many") }}{% endif %}', ''],
      run(args) {
        throw new TemplateRenderError(args.text('message'));
      },
    },
  ],
]);

const reach = (what: string) => `${what} is not available: a template knows its parameters and nothing else`;
/** What Tera has and a template here must not, with the reason. */
export const WITHHELD: ReadonlyMap<string, string> = new Map([
  ['get_env', reach('the environment (get_env)')],
  ['now', reach('the time of day (now)')],
  ['get_random', reach('chance (get_random)')],
  ['date', 'the filter "date" is not available: give the date as a text'],
  [
    'matching',
    'the test "matching" is not available, since a regular expression can run for very long: use starting_with, ending_with or containing',
  ],
  ['include', 'include is not available: a template is one text'],
  ['import', 'import is not available: a template is one text'],
  ['extends', 'extends is not available: a template is one text'],
  ['block', 'block is not available, since no template extends another one'],
]);
