import type { RenderBudget } from '../../template-limits.ts';
import type { Arguments } from '../arguments.ts';
import type { Value } from '../values.ts';

/** A filter, with what the guide says of it. */
export interface Filter {
  /** The names of its arguments; `?` after those that may be absent. */
  parameters: readonly string[];
  summary: string;
  /** A template, and what it gives for the parameters of the guide. */
  example: readonly [template: string, output: string];
  run(input: Value, args: Arguments, budget: RenderBudget): Value;
}
export type Filters = Readonly<Record<string, Filter>>;
