import { describe, expect, test } from '@jest/globals';
import { EXAMPLE_PARAMETERS } from '../../../../infra/docs/template-tables.ts';
import { CONSTRUCTS } from '../../../../lib/fleet/templates/tera/constructs.ts';
import { FILTERS } from '../../../../lib/fleet/templates/tera/filters/filters.ts';
import { FUNCTIONS } from '../../../../lib/fleet/templates/tera/functions.ts';
import { parseTera, renderTera } from '../../../../lib/fleet/templates/tera/tera.ts';
import { TESTS } from '../../../../lib/fleet/templates/tera/tests.ts';
import { OPERATORS, PARAMETERS, type Row, STATEMENTS } from './conformance.ts';
import { FILTER_ROWS, FUNCTION_ROWS, OTHER_LANGUAGES, TEST_ROWS } from './conformance-names.ts';

function outcome(template: string, parameters = PARAMETERS): string | { error: string } {
  try {
    return renderTera(parseTera(template), parameters);
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'no error' };
  }
}

const TABLES: Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>> = {
  statements: STATEMENTS,
  operators: OPERATORS,
  filters: FILTER_ROWS,
  tests: TEST_ROWS,
  functions: FUNCTION_ROWS,
  'other languages': OTHER_LANGUAGES,
};
for (const [table, groups] of Object.entries(TABLES))
  describe(table, () => {
    for (const [name, rows] of Object.entries(groups))
      test(name, () => {
        for (const [template, expected] of rows) expect({ template, outcome: outcome(template) }).toEqual({ template, outcome: expected });
      });
  });

test('there are rows for each construct, filter, test and function', () => {
  expect(Object.keys(FILTER_ROWS).sort()).toEqual([...FILTERS.keys()].sort());
  expect(Object.keys(TEST_ROWS).sort()).toEqual([...TESTS.keys()].sort());
  expect(Object.keys(FUNCTION_ROWS).sort()).toEqual([...FUNCTIONS.keys()].sort());
  expect(Object.keys({ ...STATEMENTS, ...OPERATORS }).sort()).toEqual([...CONSTRUCTS.keys()].sort());
});

test('each example of the guide gives what the guide says', () => {
  for (const { example } of [...CONSTRUCTS.values(), ...FILTERS.values(), ...TESTS.values(), ...FUNCTIONS.values()])
    expect([example[0], outcome(example[0], EXAMPLE_PARAMETERS)]).toEqual(example);
});
