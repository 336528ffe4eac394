import { TemplateRenderError, type TextPlace } from '../template-error.ts';
import type { RenderBudget } from '../template-limits.ts';
import { Arguments } from './arguments.ts';
import { FILTERS } from './filters/filters.ts';
import { FUNCTIONS } from './functions.ts';
import type { CompareOp, Expression, Macro, MathOp, NamedArgs, Step } from './syntax.ts';
import { contains, TESTS } from './tests.ts';
import { exact, isArray, isEqual, isObject, isTrue, member, printed, typeName, type Value } from './values.ts';

/** What expressions see: variables by name, the macros of the template, and what may still be spent. */
export interface Scope {
  lookUp(name: string): Value | undefined;
  callMacro(macro: Macro, args: Map<string, Value>): string;
  macros: ReadonlyMap<string, Macro>;
  budget: RenderBudget;
}

/** An error with this place, if it has none yet. Others are left as they are. */
export function placed(error: unknown, place: TextPlace): unknown {
  const lacksPlace = error instanceof TemplateRenderError && error.place === undefined;
  return lacksPlace ? new TemplateRenderError(error.message, place) : error;
}

/** The value of an expression that must be defined. */
export function evaluate(expression: Expression, scope: Scope): Value {
  const value = evaluateOptional(expression, scope);
  if (value !== undefined) return value;
  if (expression.kind === 'variable') throw new TemplateRenderError(`the variable "${expression.text}" is not defined`, expression.place);
  throw new TemplateRenderError('the expression has no value');
}

/** Whether a condition holds. A variable that is not defined counts as false. */
export const holds = (expression: Expression, scope: Scope): boolean => isTrue(evaluateOptional(expression, scope), scope.budget);

/** The value, or undefined for a variable that is not defined. */
function evaluateOptional(expression: Expression, scope: Scope): Value | undefined {
  scope.budget.spend(1);
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'variable':
      return pathValue(scope.lookUp(expression.name), expression.path, scope);
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'logic':
      return expression.op === 'and'
        ? holds(expression.left, scope) && holds(expression.right, scope)
        : holds(expression.left, scope) || holds(expression.right, scope);
    case 'not':
      return !holds(expression.operand, scope);
    case 'concat':
      return concatenated(expression.parts, scope);
    default:
      try {
        return operated(expression, scope);
      } catch (error) {
        throw placed(error, expression.place);
      }
  }
}

/** The value of an expression whose errors get its place. */
function operated(expression: Extract<Expression, { place: TextPlace }>, scope: Scope): Value | undefined {
  switch (expression.kind) {
    case 'test':
      return runTest(expression, scope);
    case 'filter':
      return runFilter(expression, scope);
    case 'math':
      return calculated(expression.op, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case 'compare':
      return compared(expression.op, evaluate(expression.left, scope), evaluate(expression.right, scope), scope);
    case 'in':
      return contains(evaluate(expression.haystack, scope), evaluate(expression.needle, scope), scope.budget) !== expression.negated;
    case 'function':
      return FUNCTIONS.get(expression.name)?.run(argumentsOf('function', expression.name, expression.args, scope), scope.budget);
    case 'macro-call':
      return runMacro(expression.name, expression.args, scope);
  }
}

function pathValue(start: Value | undefined, path: readonly Step[], scope: Scope): Value | undefined {
  let found = start;
  for (const step of path) {
    if (found === undefined) return undefined;
    const key: Value = 'name' in step ? step.name : evaluate(step.index, scope);
    scope.budget.spend(1);
    if (isObject(found) && typeof key === 'string') found = member(found, key);
    else if (isArray(found) && isIndex(key)) found = found[Number(key)];
    else return undefined;
  }
  return found;
}

/** A whole number from 0, as in `list[0]` and `list.0`. */
const isIndex = (key: Value): boolean => (typeof key === 'number' ? key >= 0 : typeof key === 'string' && /^\d{1,9}$/.test(key));

function runTest({ name, negated, subject, args }: Extract<Expression, { kind: 'test' }>, scope: Scope): boolean {
  const values = args.map((arg) => evaluate(arg, scope));
  return (TESTS.get(name)?.run(evaluateOptional(subject, scope), values, scope.budget) ?? false) !== negated;
}

function runFilter({ name, input, args }: Extract<Expression, { kind: 'filter' }>, scope: Scope): Value {
  // Only `default` takes what is not defined.
  const value = name === 'default' ? (evaluateOptional(input, scope) ?? null) : evaluate(input, scope);
  return applyFilter(name, value, argumentsOf('filter', name, args, scope), scope.budget);
}

export function applyFilter(name: string, input: Value, args: Arguments, budget: RenderBudget): Value {
  return FILTERS.get(name)?.run(input, args, budget) ?? null;
}

export const argumentsOf = (kind: 'filter' | 'function', name: string, args: NamedArgs, scope: Scope): Arguments =>
  new Arguments(kind, name, valuesOf(args, scope));

const NO_VALUES: ReadonlyMap<string, Value> = new Map();
function valuesOf(args: NamedArgs, scope: Scope): ReadonlyMap<string, Value> {
  if (args.length === 0) return NO_VALUES;
  const values = new Map<string, Value>();
  for (const { name, value } of args) values.set(name, evaluate(value, scope));
  return values;
}

function concatenated(parts: readonly Expression[], scope: Scope): string {
  let text = '';
  for (const part of parts) {
    const next = printed(evaluate(part, scope), scope.budget);
    scope.budget.text(text.length + next.length, next.length);
    text += next;
  }
  return text;
}

function calculated(op: MathOp, left: Value, right: Value): number {
  if (typeof left !== 'number' || typeof right !== 'number') {
    const hint = op === '+' && (typeof left === 'string' || typeof right === 'string') ? '; texts are put together with ~' : '';
    throw new TemplateRenderError(`"${op}" calculates with numbers, not with ${typeName(typeof left === 'number' ? right : left)}${hint}`);
  }
  if ((op === '/' || op === '%') && right === 0) throw new TemplateRenderError(`"${op}" by zero`);
  switch (op) {
    case '+':
      return exact(left + right);
    case '-':
      return exact(left - right);
    case '*':
      return exact(left * right);
    case '/':
      return exact(left / right);
    case '%':
      return exact(left % right);
  }
}

function compared(op: CompareOp, left: Value, right: Value, { budget }: Scope): boolean {
  if (op === '==' || op === '!=') return isEqual(left, right, budget) === (op === '==');
  const comparable = typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
  if (!comparable)
    throw new TemplateRenderError(`"${op}" compares two numbers or two texts, not ${typeName(left)} with ${typeName(right)}`);
  if (typeof left === 'string') budget.text(left.length);
  switch (op) {
    case '<':
      return (left as number) < (right as number);
    case '<=':
      return (left as number) <= (right as number);
    case '>':
      return (left as number) > (right as number);
    case '>=':
      return (left as number) >= (right as number);
  }
}

function runMacro(name: string, args: NamedArgs, scope: Scope): string {
  const macro = scope.macros.get(name);
  if (!macro) throw new TemplateRenderError(`there is no macro "${name}"`);
  const values = new Map(valuesOf(args, scope));
  for (const given of values.keys())
    if (!macro.parameters.some(({ name: parameter }) => parameter === given))
      throw new TemplateRenderError(`the macro "${name}" has no parameter "${given}"`);
  scope.budget.spend(10 + macro.parameters.length * values.size);
  for (const { name: parameter, absent } of macro.parameters) {
    if (values.has(parameter)) continue;
    if (absent === undefined) throw new TemplateRenderError(`the macro "${name}" needs the argument "${parameter}"`);
    values.set(parameter, absent);
  }
  return scope.callMacro(macro, values);
}
