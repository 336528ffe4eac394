import { exact } from '../values.ts';
import type { Filter, Filters } from './filter.ts';

const ROUND: Readonly<Record<string, (number: number) => number>> = {
  // Half away from zero, as Rust rounds.
  common: (number) => Math.sign(number) * Math.round(Math.abs(number)),
  ceil: Math.ceil,
  floor: Math.floor,
};
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

const WHOLE: Readonly<Record<number, RegExp>> = {
  2: /^(?:0b)?([01]+)$/i,
  8: /^(?:0o)?([0-7]+)$/i,
  10: /^([+-]?\d+)(?:\.\d*)?$/,
  16: /^(?:0x)?([0-9a-f]+)$/i,
};

const int: Filter = {
  parameters: ['default?', 'base?'],
  summary: 'A whole number out of a text or a number; `default` (0) if it is none; `base` 2, 8, 10 or 16',
  example: ['{{ "0x1f" | int(base=16) }}', '31'],
  run(input, args, budget) {
    if (typeof input === 'number') return exact(Math.trunc(input));
    budget.text(args.inputText(input).length);
    const base = args.integer('base', 10);
    const whole = WHOLE[base] ?? args.refuse('the argument "base" must be 2, 8, 10 or 16');
    const digits = whole.exec(args.inputText(input).trim())?.[1];
    return digits === undefined ? args.integer('default', 0) : exact(Number.parseInt(digits, base));
  },
};

export const NUMBER_FILTERS: Filters = {
  abs: {
    parameters: [],
    summary: 'Without its sign',
    example: ['{{ -1 | abs }}', '1'],
    run: (input, args) => Math.abs(args.inputNumber(input)),
  },
  round: {
    parameters: ['method?', 'precision?'],
    summary: 'Rounded to `precision` digits (0); `method` is common, ceil or floor',
    example: ['{{ 2.15 | round(method="ceil", precision=1) }}', '2.2'],
    run(input, args) {
      const method = args.text('method', 'common');
      const round = Object.hasOwn(ROUND, method) ? ROUND[method] : undefined;
      if (!round) return args.refuse('the argument "method" must be "common", "ceil" or "floor"');
      const precision = args.integer('precision', 0);
      if (precision < 0 || precision > 15) args.refuse('the argument "precision" must be from 0 to 15');
      const scale = 10 ** precision;
      return exact(round(args.inputNumber(input) * scale) / scale);
    },
  },
  int,
  float: {
    parameters: ['default?'],
    summary: 'A number out of a text; `default` (0) if it is none',
    example: ['{{ "1.5" | float }}', '1.5'],
    run(input, args, budget) {
      if (typeof input === 'number') return input;
      budget.text(args.inputText(input).length);
      const text = args.inputText(input).trim();
      if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return exact(Number(text));
      return args.has('default') ? args.value('default') : 0;
    },
  },
  pluralize: {
    parameters: ['singular?', 'plural?'],
    summary: '`plural` (s) unless the number is 1, then `singular` (empty)',
    example: ['item{{ 2 | pluralize }}', 'items'],
    run: (input, args) => (Math.abs(args.inputNumber(input)) === 1 ? args.text('singular', '') : args.text('plural', 's')),
  },
  filesizeformat: {
    parameters: [],
    summary: 'A number of bytes for people, in steps of 1,024',
    example: ['{{ 110590 | filesizeformat }}', '108 KB'],
    run(input, args) {
      let [size, unit] = [args.inputNumber(input), 0];
      for (; Math.abs(size) >= 1_024 && unit < UNITS.length - 1; unit++) size /= 1_024;
      return `${Number(size.toFixed(2))} ${UNITS[unit]}`;
    },
  },
};
