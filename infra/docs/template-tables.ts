import { TEMPLATE_LIMITS } from '../../lib/fleet/templates/template-limits.ts';
import { CONSTRUCTS } from '../../lib/fleet/templates/tera/constructs.ts';
import { FILTERS } from '../../lib/fleet/templates/tera/filters/filters.ts';
import { FUNCTIONS, WITHHELD } from '../../lib/fleet/templates/tera/functions.ts';
import { TESTS } from '../../lib/fleet/templates/tera/tests.ts';

/** What the guide's examples are rendered with. */
export const EXAMPLE_PARAMETERS = { name: 'web', three: 3, p: { name: 'web', port: 80 } };
const BEGIN = '<!-- written by npm run docs:templates -->';
const END = '<!-- /written -->';

interface Named {
  parameters: readonly string[];
  summary: string;
  example: readonly [template: string, output: string];
}

const code = (text: string) => (text.includes('`') ? `\`\` ${cell(text)} \`\`` : `\`${cell(text)}\``);
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', '⏎');
const output = (text: string) => (text === '' ? 'nothing' : code(text));

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

const named = (what: string, things: ReadonlyMap<string, Named>): string =>
  table(
    [what, 'arguments', 'gives', 'example', 'output'],
    [...things]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([
          name,
          {
            parameters,
            summary,
            example: [template, result],
          },
        ]) => [code(name), parameters.map(code).join(', '), cell(summary), code(template), output(result)],
      ),
  );

/** Everything that a Tera template may have, as tables of Markdown. */
function teraTables(): string {
  const { textBytes, outputCharacters, steps, tagTokens, tokens, depth } = TEMPLATE_LIMITS;
  const constructs = [...CONSTRUCTS].map(
    ([
      name,
      {
        syntax,
        summary,
        example: [template, result],
      },
    ]) => [name, syntax.map(code).join(' '), cell(summary), code(template), output(result)],
  );
  const limits = [
    ['the text of a template', `${textBytes} bytes`],
    ['the output, and each text on the way to it', `${outputCharacters} characters`],
    ['steps of a rendering: nodes that are evaluated, and what filters go through', String(steps)],
    ['parts of one tag', String(tagTokens)],
    ['parts of all tags', String(tokens)],
    ['nesting of blocks, expressions and calls of macros', `${depth} levels`],
  ];
  const example = `Examples are for the parameters \`${JSON.stringify(EXAMPLE_PARAMETERS)}\`.`;
  return [
    example,
    table(['construct', 'written', 'meaning', 'example', 'output'], constructs),
    named('filter', FILTERS),
    named('test', TESTS),
    named('function', FUNCTIONS),
    table(
      ['not available', 'what the error says'],
      [...WITHHELD].map(([name, reason]) => [code(name), cell(reason)]),
    ),
    table(['limit', 'at most'], limits),
  ].join('\n\n');
}

/** The guide with the tables that the code gives now. Throws if it has no place for them. */
export function withTables(guide: string): string {
  const [from, to] = [guide.indexOf(BEGIN), guide.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the guide has no part between "${BEGIN}" and "${END}"`);
  return `${guide.slice(0, from)}${BEGIN}\n${teraTables()}\n${guide.slice(to)}`;
}
