/** A construct of the language, with what the guide says of it. */
export interface Construct {
  syntax: readonly string[];
  summary: string;
  /** A template, and what it gives for the parameters of the guide. */
  example: readonly [template: string, output: string];
}

/** Every construct, by the name of its rows in the conformance table. Filters, tests and functions have lists of their own. */
export const CONSTRUCTS: ReadonlyMap<string, Construct> = new Map<string, Construct>([
  [
    'printing',
    {
      syntax: ['{{ … }}'],
      summary: 'A value. Null prints nothing, an object `[object]`, a list its items in brackets. Nothing is escaped',
      example: ['{{ name }}', 'web'],
    },
  ],
  [
    'literals',
    {
      syntax: ['"…"', "'…'", '`…`', '12', '1.5', 'true', 'false', '[1, 2]'],
      summary: 'Texts have no escapes. A number that is too large to be exact is an error',
      example: ['{{ [1, "a"] }}', '[1, a]'],
    },
  ],
  [
    'variables',
    {
      syntax: ['a.b', 'a["b"]', 'a[key]', 'a.0'],
      summary: 'Members of objects, items of lists. What is not defined is an error that names it',
      example: ['{{ p.port }}', '80'],
    },
  ],
  ['comments', { syntax: ['{# … #}'], summary: 'Print nothing', example: ['a{# b #}c', 'ac'] }],
  [
    'white space',
    { syntax: ['{%- … -%}', '{{- … -}}', '{#- … -#}'], summary: 'Removes white space on that side', example: ['a {{- name }}', 'aweb'] },
  ],
  [
    'raw',
    { syntax: ['{% raw %}…{% endraw %}'], summary: 'Text that is not looked at', example: ['{% raw %}{{ x }}{% endraw %}', '{{ x }}'] },
  ],
  [
    'if',
    {
      syntax: ['{% if … %}', '{% elif … %}', '{% else %}', '{% endif %}'],
      summary: 'False, 0, null, empty texts, lists and objects, and what is not defined do not hold',
      example: ['{% if three > 2 %}many{% else %}few{% endif %}', 'many'],
    },
  ],
  [
    'for',
    {
      syntax: ['{% for x in list %}', '{% for key, value in object %}', '{% else %}', '{% endfor %}', '{% break %}', '{% continue %}'],
      summary:
        'Objects by the order of their names; `else` for nothing to go through. `loop.index`, `loop.index0`, `loop.first`, `loop.last`',
      example: ['{% for key, value in p %}{{ loop.index }}{{ key }}={{ value }} {% endfor %}', '1name=web 2port=80 '],
    },
  ],
  [
    'set',
    {
      syntax: ['{% set x = … %}', '{% set_global x = … %}'],
      summary: '`set` in a loop is gone with the turn; `set_global` stays',
      example: ['{% set x = three + 1 %}{{ x }}', '4'],
    },
  ],
  [
    'filter block',
    {
      syntax: ['{% filter name %}…{% endfilter %}'],
      summary: 'A filter over what the block prints',
      example: ['{% filter upper %}{{ name }}{% endfilter %}', 'WEB'],
    },
  ],
  [
    'macro',
    {
      syntax: ['{% macro f(a, b=1) %}…{% endmacro %}', '{{ self::f(a=2) }}'],
      summary: 'Sees its arguments alone, which are named; a default is a literal',
      example: ['{% macro f(a, b=1) %}{{ a + b }}{% endmacro %}{{ self::f(a=2) }}', '3'],
    },
  ],
  [
    'math',
    { syntax: ['+', '-', '*', '/', '%'], summary: 'On numbers. A division by zero is an error', example: ['{{ three * 2 + 1 }}', '7'] },
  ],
  ['~', { syntax: ['a ~ b'], summary: 'Two values as one text', example: ['{{ name ~ "-" ~ three }}', 'web-3'] }],
  [
    'comparison',
    {
      syntax: ['==', '!=', '<', '<=', '>', '>='],
      summary: 'Equality of any values; an order of two numbers or two texts',
      example: ['{% if name == "web" %}yes{% endif %}', 'yes'],
    },
  ],
  [
    'and, or, not',
    { syntax: ['and', 'or', 'not'], summary: 'Conditions', example: ['{% if name and not missing %}yes{% endif %}', 'yes'] },
  ],
  [
    'in, not in',
    {
      syntax: ['a in b', 'a not in b'],
      summary: 'An item of a list, a name of an object, a part of a text',
      example: ['{% if "port" in p %}yes{% endif %}', 'yes'],
    },
  ],
  [
    'is',
    { syntax: ['a is test', 'a is not test'], summary: 'One of the tests below', example: ['{% if three is odd %}yes{% endif %}', 'yes'] },
  ],
]);
