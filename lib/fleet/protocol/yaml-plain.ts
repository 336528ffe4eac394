import {
  COLLECTION_STYLE,
  CORE_SCHEMA,
  EVENT_ID,
  type Event,
  getScalarValue,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import { largeInteger, numberProblem, YAML_LIMITS, type YamlDocument } from './yaml-rules.ts';

/**
 * What the fast parser may read otherwise than it should: tabs, byte order marks, lone carriage returns, directives, the ends of
 * documents and what looks like one, block scalars that say how far they are indented.
 */
const UNUSUAL = /[\t\uFEFF]|\r(?!\n)|^(?:\.\.\.| *%| +---)|[|>][-+]?\d/m;

/** Only what begins like this can be something else than a string: a number, a boolean, null. */
const MAYBE_TYPED = /^(?:[-+.\d~nNtTfF]|$)/;
const SCALAR_TYPES = CORE_SCHEMA.tags.filter((tag) => tag.nodeKind === 'scalar').filter((tag) => tag.implicit);

/** The fast parser goes on after `"a"b` and `{a}b` as if a line had ended there. */
const AFTER_QUOTE = / *(?:$|[\r\n:,\]}]| #)/y;
const AFTER_FLOW = /[}\]](?! *(?:$|[\r\n:,\]}]| #))/;

class NotPlain extends Error {
  override name = 'NotPlain';
}

/**
 * The documents of a text in plain style: mappings without anchors, aliases, tags, directives, tabs, duplicate keys and unclear
 * numbers, within YAML_LIMITS. Undefined for every other text, right or wrong.
 */
export function plainDocuments(text: string): YamlDocument[] | undefined {
  if (UNUSUAL.test(text) || (text.match(/^---/gm)?.length ?? 0) > YAML_LIMITS.documents) return undefined;
  try {
    return read(text, parseEvents(text, { maxDepth: YAML_LIMITS.depth }));
  } catch (error) {
    if (error instanceof NotPlain || error instanceof YAMLException) return undefined;
    throw error;
  }
}

function read(text: string, events: readonly Event[]): YamlDocument[] {
  const documents: YamlDocument[] = [];
  let number = 0;
  let line = 1;
  let counted = 0;
  let next = 0;
  let flow = false;

  for (let event = events[next]; event?.type === EVENT_ID.DOCUMENT; event = events[++next]) {
    number += 1;
    if (number > YAML_LIMITS.documents) throw new NotPlain();
    const root = events[++next];
    const value = node(0);
    if (value === null) continue;
    if (root?.type !== EVENT_ID.MAPPING) throw new NotPlain();
    for (let at = text.indexOf('\n', counted); at !== -1 && at < root.start; at = text.indexOf('\n', counted)) {
      line += 1;
      counted = at + 1;
    }
    documents.push({ value, number, line });
  }
  if (flow && AFTER_FLOW.test(text)) throw new NotPlain();
  return documents;

  function node(depth: number): unknown {
    const event = events[next++];
    if (!event || !('anchorStart' in event) || event.type === EVENT_ID.ALIAS) throw new NotPlain();
    if (event.anchorStart >= 0 || event.tagStart >= 0 || depth > YAML_LIMITS.depth) throw new NotPlain();
    if (event.type !== EVENT_ID.SCALAR) flow ||= event.style === COLLECTION_STYLE.FLOW;
    if (event.type === EVENT_ID.SEQUENCE) return list(depth + 1);
    if (event.type === EVENT_ID.MAPPING) return record(depth + 1);
    const source = getScalarValue(text, event);
    if (event.style === SCALAR_STYLE.PLAIN) return MAYBE_TYPED.test(source) ? typed(source) : source;
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED || event.style === SCALAR_STYLE.SINGLE_QUOTED) {
      AFTER_QUOTE.lastIndex = event.valueEnd + 1;
      if (!AFTER_QUOTE.test(text)) throw new NotPlain();
    }
    return source;
  }

  function list(depth: number): unknown[] {
    const items: unknown[] = [];
    while (events[next]?.type !== EVENT_ID.POP) items.push(node(depth));
    next += 1;
    return items;
  }

  function record(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    while (events[next]?.type !== EVENT_ID.POP) {
      const key = node(depth);
      const name = String(key ?? '');
      if (name === '' || name === '__proto__' || typeof key === 'object' || Object.hasOwn(result, name)) throw new NotPlain();
      result[name] = node(depth);
    }
    next += 1;
    return result;
  }
}

function typed(source: string): unknown {
  if (numberProblem(source) || largeInteger(source)) throw new NotPlain();
  for (const { resolve, tagName } of SCALAR_TYPES) {
    const value: unknown = resolve(source, false, tagName);
    if (value !== NOT_RESOLVED) return typeof value === 'number' && !Number.isFinite(value) ? source : value;
  }
  return source;
}
