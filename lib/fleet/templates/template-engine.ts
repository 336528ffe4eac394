import { createLruCache } from '../../platform/lru-cache.ts';
import { OutOfTime, withinMs } from '../../platform/time-limit.ts';
import { checksumOf } from '../deployment-objects/deployment-object-repository.ts';
import { parseMustache, renderMustache } from './mustache/mustache.ts';
import type { TemplateEngine } from './template.ts';
import { TemplateRenderError, TemplateSyntaxError } from './template-error.ts';
import { parseTera, renderTera } from './tera/tera.ts';
import type { ValueObject } from './tera/values.ts';

/** A template that has been parsed. Rendering throws a TemplateRenderError. */
export type Render = (parameters: ValueObject) => string;

const ENGINES: Readonly<Record<TemplateEngine, (text: string) => Render>> = {
  tera(text) {
    const template = parseTera(text);
    return (parameters) => renderTera(template, parameters);
  },
  mustache(text) {
    const template = parseMustache(text);
    return (parameters) => renderMustache(template, parameters);
  },
};
/** Parsed templates are kept by their text. A parsed one takes some ten times its text. */
const parsed = createLruCache<Render>(100);

/** Parses a template, or takes it as it was parsed before. Throws a TemplateSyntaxError. */
export function prepareTemplate(engine: TemplateEngine, text: string): Render {
  const key = `${engine} ${checksumOf(text)}`;
  const known = parsed.get(key);
  if (known) return known;
  const unbounded = inTime(() => ENGINES[engine](text), TemplateSyntaxError);
  const render: Render = (parameters) => inTime(() => unbounded(parameters), TemplateRenderError);
  parsed.set(key, render);
  return render;
}

/** Ten times what the limits of a template allow. It is there for what they might not see. */
const LONGEST_MS = 1_000;

function inTime<T>(work: () => T, Failure: typeof TemplateSyntaxError | typeof TemplateRenderError): T {
  try {
    return withinMs(LONGEST_MS, work);
  } catch (error) {
    if (error instanceof OutOfTime) throw new Failure(`the template takes more than ${LONGEST_MS} ms`);
    throw error;
  }
}
