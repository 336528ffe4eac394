import { TemplateRenderError } from '../template-error.ts';
import { RenderBudget, TEMPLATE_LIMITS } from '../template-limits.ts';
import { applyFilter, argumentsOf, atPlace, evaluate, holds, type Scope } from './evaluate.ts';
import type { Macro, Node, TeraTemplate } from './syntax.ts';
import { isArray, isObject, isTrue, printed, sortedNames, type Value, type ValueObject } from './values.ts';

export { parseTera } from './parse-template.ts';
export type { TeraTemplate } from './syntax.ts';

/**
 * Renders a template with its parameters, and nothing else: it reaches neither the environment nor the time. The semantics are those of Tera 1
 * (https://keats.github.io/tera/docs). Throws a TemplateRenderError for what is undefined, of a wrong type, or beyond a limit.
 */
export function renderTera({ nodes, macros }: TeraTemplate, parameters: ValueObject): string {
  const budget = new RenderBudget();
  try {
    return new Rendering(macros, budget, new Map(Object.entries(parameters))).run(nodes);
  } catch (error) {
    // Deep data can be nested deeper than the limits of the template know.
    if (error instanceof RangeError) throw new TemplateRenderError('the parameters are nested too deep');
    throw error;
  }
}

type Flow = 'on' | 'break' | 'continue';

/** Renders one template, or one call of a macro, which sees its arguments alone. */
class Rendering implements Scope {
  readonly macros: ReadonlyMap<string, Macro>;
  readonly budget: RenderBudget;
  private readonly globals: Map<string, Value>;
  /** The variables of the loops around, the innermost last. */
  private readonly frames: Map<string, Value>[] = [];
  private output = '';

  constructor(macros: ReadonlyMap<string, Macro>, budget: RenderBudget, globals: Map<string, Value>) {
    this.macros = macros;
    this.budget = budget;
    this.globals = globals;
  }

  run(nodes: readonly Node[]): string {
    this.renderAll(nodes);
    return this.output;
  }

  lookUp(name: string): Value | undefined {
    for (let n = this.frames.length - 1; n >= 0; n--) {
      const frame = this.frames[n];
      if (frame?.has(name)) return frame.get(name);
    }
    return this.globals.get(name);
  }

  callMacro(macro: Macro, args: ReadonlyMap<string, Value>): string {
    return this.budget.deeper(() => new Rendering(this.macros, this.budget, new Map(args)).run(macro.body));
  }

  private write(text: string): void {
    if (this.output.length + text.length > TEMPLATE_LIMITS.outputCharacters) this.budget.text(this.output.length + text.length);
    this.output += text;
  }

  private renderAll(nodes: readonly Node[]): Flow {
    for (const node of nodes) {
      const flow = this.render(node);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  private render(node: Node): Flow {
    this.budget.spend(1);
    switch (node.kind) {
      case 'text':
        this.write(node.text);
        return 'on';
      case 'print':
        this.write(atPlace(node.place, () => printed(evaluate(node.value, this), this.budget)));
        return 'on';
      case 'set':
        this.set(node.name, evaluate(node.value, this), node.global);
        return 'on';
      case 'if': {
        const branch = node.branches.find(({ condition }) => holds(condition, this));
        return this.renderAll(branch ? branch.body : node.otherwise);
      }
      case 'for':
        return this.loop(node);
      case 'filter-block':
        return this.filterBlock(node);
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  private set(name: string, value: Value, global: boolean): void {
    const frame = global ? this.globals : (this.frames.at(-1) ?? this.globals);
    frame.set(name, value);
  }

  private loop(node: Extract<Node, { kind: 'for' }>): Flow {
    const over = evaluate(node.over, this);
    if (typeof over === 'string') this.budget.spend(over.length);
    const entries = atPlace(node.place, () => entriesOf(over, node.key !== undefined));
    if (entries.length === 0) return this.renderAll(node.otherwise);
    for (const [index, [key, value]] of entries.entries()) {
      this.budget.spend(2);
      const loop = { index: index + 1, index0: index, first: index === 0, last: index === entries.length - 1 };
      this.frames.push(
        new Map<string, Value>([['loop', loop], [node.value, value], ...(node.key === undefined ? [] : ([[node.key, key]] as const))]),
      );
      const flow = this.renderAll(node.body);
      this.frames.pop();
      if (flow === 'break') break;
    }
    return 'on';
  }

  private filterBlock({ name, args, body, place }: Extract<Node, { kind: 'filter-block' }>): Flow {
    const before = this.output;
    this.output = '';
    const flow = this.renderAll(body);
    const inner = this.output;
    this.output = before;
    this.write(
      atPlace(place, () => printed(applyFilter(name, inner, argumentsOf(`the filter "${name}"`, args, this), this.budget), this.budget)),
    );
    return flow;
  }
}

/** What a loop goes through: values, characters, or the members of an object with their names in order. */
function entriesOf(over: Value, withKey: boolean): readonly (readonly [string, Value])[] {
  if (isObject(over)) {
    if (!withKey) throw new TemplateRenderError('a loop over an object has two variables: {% for key, value in … %}');
    return sortedNames(over).map((name) => [name, over[name] ?? null]);
  }
  if (withKey) throw new TemplateRenderError('only a loop over an object has two variables');
  if (isArray(over)) return over.map((value) => ['', value]);
  if (typeof over === 'string') return [...over].map((character) => ['', character]);
  throw new TemplateRenderError(`a loop goes through a list, an object or a text${isTrue(over) ? '' : ', and there is none'}`);
}
