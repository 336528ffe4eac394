import { TemplateRenderError } from '../template-error.ts';
import { RenderBudget } from '../template-limits.ts';
import { applyFilter, argumentsOf, evaluate, holds, placed, type Scope } from './evaluate.ts';
import { LoopFrame } from './loop-frame.ts';
import type { Macro, Node, TeraTemplate } from './syntax.ts';
import { printed, type Value, type ValueObject } from './values.ts';

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
    // Long chains of operators and deep parameters can exhaust the stack before a limit is reached.
    if (error instanceof RangeError) throw new TemplateRenderError('the template or its parameters are nested too deep');
    throw error;
  }
}

type Flow = 'on' | 'break' | 'continue';

/** Renders one template, or one call of a macro, which sees its arguments alone. */
class Rendering implements Scope {
  readonly macros: ReadonlyMap<string, Macro>;
  readonly budget: RenderBudget;
  private readonly globals: Map<string, Value>;
  /** The loops around, the innermost last. */
  private readonly frames: LoopFrame[] = [];
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
      const found = this.frames[n]?.lookUp(name);
      if (found !== undefined) return found;
      this.budget.spend(1);
    }
    return this.globals.get(name);
  }

  callMacro(macro: Macro, args: Map<string, Value>): string {
    return this.budget.deeper(() => new Rendering(this.macros, this.budget, args).run(macro.body));
  }

  private write(text: string): void {
    this.budget.text(this.output.length + text.length, 0);
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
    if (!('place' in node)) return this.renderNode(node);
    try {
      return this.renderNode(node);
    } catch (error) {
      throw placed(error, node.place);
    }
  }

  private renderNode(node: Node): Flow {
    this.budget.spend(1);
    switch (node.kind) {
      case 'text':
        this.write(node.text);
        return 'on';
      case 'print':
        this.write(printed(evaluate(node.value, this), this.budget));
        return 'on';
      case 'set':
        this.set(node.name, evaluate(node.value, this), node.global);
        return 'on';
      case 'if': {
        for (const { condition, body } of node.branches) if (holds(condition, this)) return this.renderAll(body);
        return this.renderAll(node.otherwise);
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
    const frame = global ? undefined : this.frames.at(-1);
    if (frame) frame.set(name, value);
    else this.globals.set(name, value);
  }

  private loop(node: Extract<Node, { kind: 'for' }>): Flow {
    const frame = new LoopFrame(node, evaluate(node.over, this), this.budget);
    if (frame.length === 0) return this.renderAll(node.otherwise);
    this.frames.push(frame);
    while (frame.next()) {
      // A turn is as dear as a few expressions, even if its body is empty.
      this.budget.spend(2);
      if (this.renderAll(node.body) === 'break') break;
    }
    this.frames.pop();
    return 'on';
  }

  private filterBlock({ name, args, body }: Extract<Node, { kind: 'filter-block' }>): Flow {
    const before = this.output;
    this.output = '';
    const flow = this.renderAll(body);
    const inner = this.output;
    this.output = before;
    this.write(printed(applyFilter(name, inner, argumentsOf('filter', name, args, this), this.budget), this.budget));
    return flow;
  }
}
