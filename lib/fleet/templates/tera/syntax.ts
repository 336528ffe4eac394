import type { TextPlace } from '../template-error.ts';
import type { Value } from './values.ts';

/** The syntax tree of a template. It contains no code, is never changed, and may be rendered many times. */
export type Expression =
  | { kind: 'literal'; value: Value }
  | { kind: 'list'; items: readonly Expression[] }
  | { kind: 'variable'; name: string; path: readonly Step[]; text: string; place: TextPlace }
  | { kind: 'math'; op: MathOp; left: Expression; right: Expression; place: TextPlace }
  | { kind: 'concat'; parts: readonly Expression[] }
  | { kind: 'compare'; op: CompareOp; left: Expression; right: Expression; place: TextPlace }
  | { kind: 'in'; negated: boolean; needle: Expression; haystack: Expression; place: TextPlace }
  | { kind: 'logic'; op: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; operand: Expression }
  | { kind: 'test'; name: string; negated: boolean; subject: Expression; args: readonly Expression[]; place: TextPlace }
  | { kind: 'filter'; name: string; input: Expression; args: NamedArgs; place: TextPlace }
  | { kind: 'function'; name: string; args: NamedArgs; place: TextPlace }
  | { kind: 'macro-call'; name: string; args: NamedArgs; place: TextPlace };

/** One step from a value into it: a name after a dot, or an expression in brackets. */
export type Step = { name: string } | { index: Expression };
export type NamedArgs = readonly { name: string; value: Expression }[];
export type MathOp = '+' | '-' | '*' | '/' | '%';
export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; value: Expression; place: TextPlace }
  | { kind: 'if'; branches: readonly { condition: Expression; body: readonly Node[] }[]; otherwise: readonly Node[] }
  | {
      kind: 'for';
      key: string | undefined;
      value: string;
      over: Expression;
      body: readonly Node[];
      otherwise: readonly Node[];
      place: TextPlace;
    }
  | { kind: 'set'; name: string; value: Expression; global: boolean }
  | { kind: 'filter-block'; name: string; args: NamedArgs; body: readonly Node[]; place: TextPlace }
  | { kind: 'break' }
  | { kind: 'continue' };

export interface Macro {
  name: string;
  /** The parameters, and what each is if its argument is absent; undefined if the argument is needed. */
  parameters: readonly { name: string; absent: Value | undefined }[];
  body: readonly Node[];
}

export interface TeraTemplate {
  nodes: readonly Node[];
  macros: ReadonlyMap<string, Macro>;
}
