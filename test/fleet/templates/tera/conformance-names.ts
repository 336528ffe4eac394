import type { Row } from './conformance.ts';

/** The rows of the conformance table for what has a name: filters, tests and functions; and for tags of other template languages. */
type Rows = Readonly<Record<string, readonly Row[]>>;

const failing = (template: string, error: string): Row => [template, { error }];
const at = (column: number, message: string) => `line 1, column ${column}: ${message}`;

export const FILTER_ROWS: Rows = {
  default: [
    ['{{ missing | default(value="x") }}', 'x'],
    ['{{ p.missing.y | default(value=1) }}', '1'],
    ['{{ nil | default(value="x") }}', 'x'],
    ['{{ zero | default(value=1) }}{{ empty | default(value=1) }}{{ no | default(value=1) }}', '0false'],
    ['{{ missing | default(value=p.port) + 1 }}', '81'],
    failing('{{ missing | default }}', at(14, 'the filter "default": the argument "value" is missing')),
    failing('{{ missing | default(1) }}', at(22, 'expected the name of an argument, as in default(value=1), found "1"')),
    failing('{{ missing | default(val=1) }}', at(22, 'the filter "default" has no argument "val": it takes value')),
    failing('{{ missing | default(value=other) }}', at(28, 'the variable "other" is not defined')),
  ],
  lower: [['{{ "WeB É" | lower }}', 'web é'], failing('{{ 1 | lower }}', at(8, 'the filter "lower": works on a text, not on a number'))],
  upper: [['{{ "straße" | upper }}', 'STRASSE'], failing('{{ missing | upper }}', at(4, 'the variable "missing" is not defined'))],
  capitalize: [
    ['{{ "HELLO world" | capitalize }}', 'Hello world'],
    ['{{ "" | capitalize }}', ''],
  ],
  title: [
    ['{{ "foo  bar" | title }}', 'Foo  Bar'],
    ['{{ "FOO-bar it\'s" | title }}', "Foo-Bar It's"],
  ],
  trim: [['[{{ "  a b " | trim }}]', '[a b]']],
  trim_start: [['[{{ "  a " | trim_start }}]', '[a ]']],
  trim_end: [['[{{ " a  " | trim_end }}]', '[ a]']],
  trim_start_matches: [
    ['{{ "//a/b//" | trim_start_matches(pat="//") }}', 'a/b//'],
    ['{{ "aaab" | trim_start_matches(pat="aa") }}', 'ab'],
    ['{{ "a" | trim_start_matches(pat="") }}', 'a'],
    failing('{{ "a" | trim_start_matches }}', at(10, 'the filter "trim_start_matches": the argument "pat" is missing')),
  ],
  trim_end_matches: [
    ['{{ "//a/b//" | trim_end_matches(pat="//") }}', '//a/b'],
    ['{{ "aaa" | trim_end_matches(pat="a") }}', ''],
  ],
  replace: [
    ['{{ "a.b.c" | replace(from=".", to="-") }}', 'a-b-c'],
    ['{{ "abc" | replace(from="b", to="$&") }}', 'a$&c'],
    ['{{ "abc" | replace(from="", to="x") }}', 'abc'],
    failing('{{ "a" | replace(from="a") }}', at(10, 'the filter "replace": the argument "to" is missing')),
    failing('{{ "a" | replace(from=1, to="") }}', at(10, 'the filter "replace": the argument "from" must be a text, and is a number')),
    failing('{{ "a" | replace(from="a", from="b") }}', at(28, 'the argument "from" is given twice')),
  ],
  truncate: [
    ['{{ "abcdef" | truncate(length=3) }}', 'abc…'],
    ['{{ "abc" | truncate(length=3) }}', 'abc'],
    ['{{ "𝒳𝒴𝒵" | truncate(length=2, end="") }}', '𝒳𝒴'],
  ],
  wordcount: [
    ['{{ " a  b\nc " | wordcount }}', '3'],
    ['{{ "" | wordcount }}', '0'],
  ],
  addslashes: [['{{ `I\'m "it" \\` | addslashes }}', 'I\\\'m \\"it\\" \\\\']],
  slugify: [['{{ "-Hello wörld! " | slugify }}', 'hello-world']],
  indent: [
    ['{{ "a\nb\n\nc" | indent }}', 'a\n    b\n\n    c'],
    ['{{ "a\n\nb" | indent(prefix="> ", first=true, blank=true) }}', '> a\n> \n> b'],
    failing('{{ "a" | indent(first=1) }}', at(10, 'the filter "indent": the argument "first" must be true or false, and is a number')),
  ],
  linebreaksbr: [['{{ "a\r\nb\n" | linebreaksbr }}', 'a<br>b<br>']],
  striptags: [['{{ "<b>Joel</b> <" | striptags }}', 'Joel <']],
  spaceless: [['{{ "<p>\n<a> x </a>\r\n </p>" | spaceless }}', '<p><a> x </a></p>']],
  escape: [['{{ `<a href="/">\'&` | escape }}', '&lt;a href=&quot;&#x2F;&quot;&gt;&#x27;&amp;']],
  escape_xml: [['{{ `<a b="/">\'&` | escape_xml }}', '&lt;a b=&quot;/&quot;&gt;&apos;&amp;']],
  urlencode: [['{{ "/foo?a=b&c=d é~" | urlencode }}', '/foo%3Fa%3Db%26c%3Dd%20%C3%A9~']],
  urlencode_strict: [['{{ "/a-b.c_d~" | urlencode_strict }}', '%2Fa%2Db%2Ec%5Fd%7E']],
  split: [
    ['{{ "a,b,,c" | split(pat=",") }}', '[a, b, , c]'],
    ['{% for x in "a/b" | split(pat="/") %}{{ x }};{% endfor %}', 'a;b;'],
  ],
  first: [
    ['{{ list | first }}[{{ none | first }}]', '3[]'],
    failing('{{ name | first }}', at(11, 'the filter "first": works on a list, not on a string')),
  ],
  last: [['{{ list | last }}[{{ none | last }}]', '2[]']],
  nth: [
    ['{{ list | nth(n=1) }}[{{ list | nth(n=9) }}]', '1[]'],
    failing('{{ list | nth(n=1.5) }}', at(11, 'the filter "nth": the argument "n" must be a whole number, and is 1.5')),
  ],
  join: [
    ['{{ ["a", 1, nil, true] | join(sep=" // ") }}', 'a // 1 //  // true'],
    ['{{ list | join }}', '312'],
    ['{{ none | join(sep=",") }}', ''],
  ],
  sort: [
    ['{{ list | sort }} {{ ["b", "a"] | sort }} {{ [true, false] | sort }}', '[1, 2, 3] [a, b] [false, true]'],
    ['{{ [[1, 2], [3]] | sort }}', '[[3], [1, 2]]'],
    ['{{ users | sort(attribute="name") | map(attribute="name") }}', '[amy, bob, cat]'],
    ['{{ none | sort }}', '[]'],
    failing('{{ [1, "a"] | sort }}', at(15, 'the filter "sort": the values must all be numbers, or all be texts')),
    failing('{{ users | sort(attribute="group.id") }}', at(12, 'the filter "sort": a value has no group.id')),
  ],
  unique: [
    ['{{ [1, 2, 1] | unique }}', '[1, 2]'],
    ['{{ ["a", "A", "b"] | unique }}', '[a, b]'],
    ['{{ ["a", "A", "a"] | unique(case_sensitive=true) }}', '[a, A]'],
    ['{{ [1, "1"] | unique }}', '[1, 1]'],
    ['{{ users | unique(attribute="team") | map(attribute="name") }}', '[bob, amy]'],
  ],
  slice: [
    ['{{ list | slice(start=1) }} {{ list | slice(end=2) }} {{ list | slice(start=1, end=2) }}', '[1, 2] [3, 1] [1]'],
    ['{{ list | slice(end=-1) }} {{ list | slice(start=-1) }}', '[3, 1] [2]'],
  ],
  map: [
    ['{{ users | map(attribute="name") }}', '[bob, amy, cat]'],
    ['{{ users | map(attribute="group.id") }}', '[2, 1]'],
    ['{{ users | map(attribute="constructor") }}', '[]'],
  ],
  filter: [
    ['{{ users | filter(attribute="team", value="x") | map(attribute="name") }}', '[bob, cat]'],
    ['{{ users | filter(attribute="group") | length }}', '2'],
    ['{{ users | filter(attribute="team", value=nil) | length }}', '0'],
  ],
  group_by: [
    ['{% for k, v in users | group_by(attribute="team") %}{{ k }}={{ v | length }}{% endfor %}', 'x=2'],
    ['{% for k, v in users | group_by(attribute="group.id") %}{{ k }}={{ v.0.name }} {% endfor %}', '1=amy 2=bob '],
  ],
  concat: [['{{ [1] | concat(with=2) }} {{ [1] | concat(with=[2, 3]) }}', '[1, 2] [1, 2, 3]']],
  reverse: [['{{ list | reverse }} {{ "añ𝒳" | reverse }}', '[2, 1, 3] 𝒳ña']],
  length: [
    ['{{ list | length }} {{ p | length }} {{ "a𝒳" | length }}', '3 2 2'],
    failing('{{ 3 | length }}', at(8, 'the filter "length": works on a list, not on a number')),
  ],
  get: [
    ['{{ deep | get(key="a/b") }} {{ p | get(key="x", default="d") }}', '1 d'],
    failing('{{ p | get(key="x") }}', at(8, 'the filter "get": there is no member "x"')),
    failing('{{ p | get(key="__proto__") }}', at(8, 'the filter "get": there is no member "__proto__"')),
  ],
  abs: [['{{ -1.5 | abs }} {{ 2 | abs }}', '1.5 2']],
  round: [
    ['{{ 2.5 | round }} {{ -2.5 | round }} {{ 2.1 | round(method="ceil") }} {{ 2.9 | round(method="floor") }}', '3 -3 3 2'],
    ['{{ pi | round(precision=2) }}', '3.25'],
    failing('{{ pi | round(method="up") }}', at(9, 'the filter "round": the argument "method" must be "common", "ceil" or "floor"')),
  ],
  int: [
    ['{{ "12" | int }} {{ 3.9 | int }} {{ "3.9" | int }} {{ "x" | int }} {{ "x" | int(default=5) }}', '12 3 3 0 5'],
    ['{{ "0b11" | int(base=2) }} {{ "0o17" | int(base=8) }} {{ "ff" | int(base=16) }}', '3 15 255'],
    ['{{ "0b11" | int }} {{ "0xff" | int }} {{ "0xb" | int(base=2) }} {{ "-5" | int }}', '0 0 0 -5'],
  ],
  float: [['{{ "1.5" | float }} {{ "x" | float }} {{ "x" | float(default=0.5) }} {{ "1e2" | float }}', '1.5 0 0.5 100']],
  pluralize: [
    ['{{ 1 | pluralize }}{{ 2 | pluralize }}{{ 0 | pluralize }}{{ -1 | pluralize }}', 'ss'],
    ['categor{{ 1 | pluralize(singular="y", plural="ies") }}', 'category'],
  ],
  filesizeformat: [['{{ 500 | filesizeformat }} {{ 123456789 | filesizeformat }}', '500 B 117.74 MB']],
  json_encode: [
    ['{{ map | json_encode }}', '{"10":3,"9":4,"a":1,"b":2}'],
    ['{{ [1, "a", nil] | json_encode }}', '[1,"a",null]'],
    ['{{ p | json_encode(pretty=true) }}', '{\n  "name": "web",\n  "port": 80\n}'],
  ],
  as_str: [['{{ 1.5 | as_str | length }}{{ list | as_str | length }}', '39']],
  safe: [['{{ "<a>" | safe | upper }}', '<A>']],
};

const yes = (condition: string): Row => [`{% if ${condition} %}yes{% endif %}`, 'yes'];
const no = (condition: string): Row => [`{% if ${condition} %}yes{% endif %}`, ''];

export const TEST_ROWS: Rows = {
  defined: [yes('name is defined'), yes('nil is defined'), no('missing is defined'), no('p.x.y is defined'), no('p.toString is defined')],
  undefined: [yes('missing is undefined'), yes('missing is not defined'), no('name is undefined'), yes('p.x is undefined')],
  odd: [yes('three is odd'), no('zero is odd'), failing('{{ name is odd }}', at(12, 'the test "odd" works on numbers, not on a string'))],
  even: [yes('zero is even'), yes('three is not even')],
  string: [yes('name is string'), no('three is string'), no('nil is string')],
  number: [yes('pi is number'), no('name is number')],
  object: [yes('p is object'), no('list is object'), no('nil is object')],
  iterable: [yes('list is iterable'), yes('p is iterable'), no('name is iterable')],
  divisibleby: [yes('three is divisibleby(3)'), no('three is divisibleby(2)'), no('three is divisibleby(0)')],
  starting_with: [yes('name is starting_with("we")'), no('name is starting_with("b")')],
  ending_with: [yes('name is ending_with("b")'), no('name is ending_with("w")')],
  containing: [
    yes('name is containing("e")'),
    yes('list is containing(2)'),
    yes('p is containing("port")'),
    no('p is containing("toString")'),
  ],
};

export const FUNCTION_ROWS: Rows = {
  range: [
    ['{{ range(end=3) }} {{ range(start=1, end=3) }} {{ range(end=7, step_by=3) }} {{ range(end=0) }}', '[0, 1, 2] [1, 2] [0, 3, 6] []'],
    failing('{{ range() }}', at(4, 'the function "range": the argument "end" is missing')),
    failing('{{ range(3) }}', at(10, 'expected the name of an argument, as in default(value=1), found "3"')),
    failing('{{ range(end="a") }}', at(4, 'the function "range": the argument "end" must be a whole number, and is a string')),
    failing('{{ range(end=1, step_by=0) }}', at(4, 'the function "range": the argument "step_by" must be 1 or more')),
    failing('{{ range(end=1, start=2) }}', at(4, 'the function "range": the argument "start" must not be greater than "end"')),
    failing('{{ range(end=9000000000) }}', at(4, 'the template takes more than 600000 steps')),
  ],
  throw: [failing('{{ throw(message="too many " ~ name) }}', at(4, 'too many web'))],
};

const MUSTACHE = 'this looks like mustache: set the template\'s engine to "mustache", or write it in Tera';
const GO =
  'this looks like a Go template, as Helm has it: Tera writes {{ name }}, {% if name %}…{% endif %} and {% for x in list %}…{% endfor %}';
const reach = (what: string) => `${what} is not available: a template knows its parameters and nothing else`;

export const OTHER_LANGUAGES: Rows = {
  mustache: [
    failing('{{#if x}}a{{/if}}', at(3, MUSTACHE)),
    failing('{{ #each x }}', at(4, MUSTACHE)),
    failing('{{/x}}', at(3, MUSTACHE)),
    failing('{{^x}}', at(3, MUSTACHE)),
    failing('{{> part }}', at(3, MUSTACHE)),
    failing('{{& x }}', at(3, MUSTACHE)),
    failing('{{{ x }}}', at(3, MUSTACHE)),
  ],
  'Go templates': [
    failing('{{ .Values.x }}', at(4, GO)),
    failing('{{ if .Values.x }}', at(7, GO)),
    failing('{{- range $k, $v := .x }}', at(11, GO)),
    failing('{{ include "x" . }}', at(12, GO)),
    failing('{{ toYaml .x | indent 4 }}', at(11, GO)),
    failing('{{ $x }}', at(4, GO)),
  ],
  'what Tera has and is withheld here': [
    failing('{{ now() }}', at(4, reach('the time of day (now)'))),
    failing('{{ get_env(name="HOME") }}', at(4, reach('the environment (get_env)'))),
    failing('{{ get_random(end=1) }}', at(4, reach('chance (get_random)'))),
    failing('{{ three | date }}', at(12, 'the filter "date" is not available: give the date as a text')),
    failing(
      '{{ name is matching("x") }}',
      at(
        12,
        'the test "matching" is not available, since a regular expression can run for very long: use starting_with, ending_with or containing',
      ),
    ),
    failing('{% include "x" %}', at(4, 'include is not available: a template is one text')),
    failing('{% import "x" as y %}', at(4, 'import is not available: a template is one text')),
    failing('{% extends "x" %}', at(4, 'extends is not available: a template is one text')),
    failing('{% block x %}', at(4, 'block is not available, since no template extends another one')),
  ],
  'other mistakes': [
    failing('{{ }}', at(1, 'the tag is empty')),
    failing('{{ name', at(1, 'the tag is not closed: "}}" is missing')),
    failing('{{ "abc }}', at(4, 'the text that begins with " is not closed')),
    failing('{{ name three }}', at(9, 'expected the end of the tag, found "three"')),
    failing('{{ name "x" }}', at(9, 'expected the end of the tag, found a text')),
    failing('{{ name | replac(from="a", to="b") }}', at(11, 'there is no filter "replac"; did you mean "replace"?')),
    failing('{{ ranges(end=1) }}', at(4, 'there is no function "ranges"; did you mean "range"?')),
    failing('{% unless x %}', at(4, 'there is no statement "unless"')),
    failing('{% 1 %}', at(4, 'expected a statement, such as if, for or set, found "1"')),
  ],
};
