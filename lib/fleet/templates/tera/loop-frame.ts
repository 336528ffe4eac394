import { TemplateRenderError } from '../template-error.ts';
import type { RenderBudget } from '../template-limits.ts';
import type { Node } from './syntax.ts';
import { isArray, isObject, sortedNames, typeName, type Value, type ValueObject } from './values.ts';

/** A loop that is being run: where it is, and the variables that are seen inside of it. */
export class LoopFrame {
  private readonly key: string | undefined;
  private readonly value: string;
  /** The values themselves, or the names of the members of `object`. */
  private readonly items: readonly Value[];
  private readonly object: ValueObject | undefined;
  private index = -1;
  /** What the body sets; it is gone with each turn. */
  private own: Map<string, Value> | undefined;

  constructor({ key, value }: Extract<Node, { kind: 'for' }>, over: Value, budget: RenderBudget) {
    this.key = key;
    this.value = value;
    if (isObject(over) && key === undefined)
      throw new TemplateRenderError('a loop over an object has two variables: {% for key, value in … %}');
    if (!isObject(over) && key !== undefined) throw new TemplateRenderError('only a loop over an object has two variables');
    this.object = isObject(over) ? over : undefined;
    this.items = itemsOf(over, budget);
  }

  get length(): number {
    return this.items.length;
  }

  /** Goes on to the next turn; false at the end. */
  next(): boolean {
    this.index += 1;
    this.own = undefined;
    return this.index < this.items.length;
  }

  set(name: string, value: Value): void {
    this.own ??= new Map();
    this.own.set(name, value);
  }

  lookUp(name: string): Value | undefined {
    const own = this.own?.get(name);
    if (own !== undefined) return own;
    const item = this.items[this.index] ?? null;
    if (name === this.value) return this.object ? (this.object[String(item)] ?? null) : item;
    if (name === this.key) return item;
    if (name !== 'loop') return undefined;
    const { index } = this;
    return { index: index + 1, index0: index, first: index === 0, last: index === this.items.length - 1 };
  }
}

/** What a loop goes through: values, characters, or the names of an object's members in order. */
function itemsOf(over: Value, budget: RenderBudget): readonly Value[] {
  if (isArray(over)) return over;
  if (isObject(over)) return sortedNames(over, budget);
  if (typeof over !== 'string') throw new TemplateRenderError(`a loop goes through a list, an object or a text, not ${typeName(over)}`);
  budget.spend(over.length);
  return [...over];
}
