import mustache from 'mustache';
import { TemplateRenderError, TemplateSyntaxError } from '../template-error.ts';
import { RenderBudget, TEMPLATE_LIMITS } from '../template-limits.ts';
import { placesIn } from '../tera/tokens.ts';
import { isArray, isObject, member, printed, type Value, type ValueObject } from '../tera/values.ts';

/** The tokens of the npm package `mustache`: kind, text, start, end, and for a section its inner tokens. */
type Token = [kind: string, text: string, start: number, end: number, inner?: Token[]];
export interface MustacheTemplate {
  tokens: readonly Token[];
}

/** Parses a template. Partials are refused, since a template is one text. Throws a TemplateSyntaxError. */
export function parseMustache(text: string): MustacheTemplate {
  if (Buffer.byteLength(text) > TEMPLATE_LIMITS.textBytes)
    throw new TemplateSyntaxError(`the template has more than ${TEMPLATE_LIMITS.textBytes} bytes`);
  const placeOf = placesIn(text);
  let tokens: Token[];
  try {
    tokens = new mustache.Writer().parse(text) as unknown as Token[];
  } catch (error) {
    // The parser's message ends with the offset.
    const [message = '', offset] = String(error instanceof Error ? error.message : error).split(/ at (\d+)$/);
    throw new TemplateSyntaxError(message, offset === undefined ? undefined : placeOf(Number(offset)));
  }
  checkTokens(tokens, 0, placeOf);
  return { tokens };
}

function checkTokens(tokens: readonly Token[], depth: number, placeOf: ReturnType<typeof placesIn>): void {
  for (const [kind, , start, , inner] of tokens) {
    if (kind === '>') throw new TemplateSyntaxError('partials are not available: a template is one text', placeOf(start));
    if (depth >= TEMPLATE_LIMITS.depth)
      throw new TemplateSyntaxError(`sections are nested more than ${TEMPLATE_LIMITS.depth} deep`, placeOf(start));
    if (inner) checkTokens(inner, depth + 1, placeOf);
  }
}

/**
 * Renders a template (https://mustache.github.io/mustache.5.html) without escaping, since YAML is not HTML. Only a value's own members are
 * found. What is not defined prints nothing, as mustache has it. Within the limits of every template.
 */
export function renderMustache({ tokens }: MustacheTemplate, parameters: ValueObject): string {
  const budget = new RenderBudget();
  let output = '';
  const write = (text: string) => {
    if (output.length + text.length > TEMPLATE_LIMITS.outputCharacters)
      throw new TemplateRenderError(`the rendered text has more than ${TEMPLATE_LIMITS.outputCharacters} characters`);
    output += text;
  };

  function renderAll(list: readonly Token[], contexts: readonly Value[]): void {
    for (const [kind, text, , , inner = []] of list) {
      budget.spend(1);
      if (kind === 'text') write(text);
      else if (kind === 'name' || kind === '&') write(printed(lookUp(text, contexts, budget) ?? null, budget));
      else if (kind === '#') section(lookUp(text, contexts, budget), inner, contexts);
      else if (kind === '^' && !isTrue(lookUp(text, contexts, budget))) renderAll(inner, contexts);
    }
  }
  function section(value: Value | undefined, inner: readonly Token[], contexts: readonly Value[]): void {
    if (value === undefined || !isTrue(value)) return;
    for (const item of isArray(value) ? value : [value]) renderAll(inner, [...contexts, item]);
  }

  renderAll(tokens, [parameters]);
  return output;
}

/** As in mustache an empty object is true, and an empty list is not. */
const isTrue = (value: Value | undefined): boolean => (isArray(value) ? value.length > 0 : Boolean(value));

/** The first name of a path is looked for from the inside to the outside, the others in what it has. */
function lookUp(path: string, contexts: readonly Value[], budget: RenderBudget): Value | undefined {
  if (path === '.') return contexts.at(-1);
  const [first = '', ...rest] = path.split('.');
  for (let n = contexts.length - 1; n >= 0; n--) {
    budget.spend(1);
    const context = contexts[n];
    const found = isObject(context) ? member(context, first) : undefined;
    if (found === undefined) continue;
    return rest.reduce<Value | undefined>(inside, found);
  }
  return undefined;
}

function inside(value: Value | undefined, name: string): Value | undefined {
  if (isArray(value)) return /^\d{1,9}$/.test(name) ? value[Number(name)] : undefined;
  return isObject(value) ? member(value, name) : undefined;
}
