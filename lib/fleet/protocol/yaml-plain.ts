import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { createMappingReader } from './yaml-mapping.ts';
import { YAML_LIMITS, type YamlBudget, YamlError, type YamlSource } from './yaml-rules.ts';
import { MAYBE_TYPED, readKey, readPlainScalar } from './yaml-scalars.ts';

/**
 * The fast parser may read these differently from kubectl: tabs, byte order marks, the line breaks of YAML 1.1, block scalars with explicit
 * indentation, text that looks like a directive, escaped line breaks before blank lines.
 */
const UNUSUAL = /[\t\uFEFF\u0085\u2028\u2029]|^ *%|[|>][-+]?\d|\\\n[ \t]*\n/m;

/** The fast parser goes on after `"a"b` and `{a}b` as if a line had ended there. */
const AFTER_QUOTE = / *(?:$|[\n:,\]}]| #)/y;
const AFTER_FLOW = /[}\]](?! *(?:$|[\n:,\]}]| #))/;
/** kubectl reads these characters differently inside brackets and braces. */
const UNUSUAL_FLOW = /[[{,:\n] *\?/;
const COLON_WITHOUT_BLANK = / *:[,[\]{}]/y;

class NotPlain extends Error {
  override name = 'NotPlain';
}

/**
 * Returns the value of a document in plain style: a mapping without anchors, aliases, tags, tabs, duplicate keys and unclear scalars,
 * within YAML_LIMITS. Undefined for every other text, valid or not.
 */
export function readPlainDocument({ text, document, line }: YamlSource, budget: YamlBudget): Record<string, unknown> | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    const events = parseEvents(text, { maxDepth: YAML_LIMITS.depth });
    budget.events -= events.length;
    if (budget.events < 0) throw new YamlError('too_complex', 'has too many values: make several stacks of it', { document, line });
    // All events are checked before any value is made, because the values would cost as much memory as the events.
    return events.every(isPlain) ? read(text, events) : undefined;
  } catch (error) {
    if (error instanceof NotPlain || error instanceof YAMLException) return undefined;
    throw error;
  }
}

function isPlain(event: Event): boolean {
  if (event.type === EVENT_ID.ALIAS) return false;
  return !('anchorStart' in event) || (event.anchorStart < 0 && event.tagStart < 0);
}

function read(text: string, events: readonly Event[]): Record<string, unknown> {
  if (events[0]?.type !== EVENT_ID.DOCUMENT || events[1]?.type !== EVENT_ID.MAPPING) throw new NotPlain();
  let next = 2;
  let flow = events[1].style === COLLECTION_STYLE.FLOW;
  const root = record(1);
  // Only the end of this document may follow, and no other document.
  if (next + 1 !== events.length) throw new NotPlain();
  if (flow && (AFTER_FLOW.test(text) || UNUSUAL_FLOW.test(text))) throw new NotPlain();
  return root;

  function node(depth: number): unknown {
    const event = events[next++];
    if (event?.type === EVENT_ID.SCALAR) {
      const scalar = scalarOf(event);
      if (scalar.type === 'unclear') throw new NotPlain();
      return scalar.value;
    }
    if ((event?.type !== EVENT_ID.SEQUENCE && event?.type !== EVENT_ID.MAPPING) || depth > YAML_LIMITS.depth) throw new NotPlain();
    flow ||= event.style === COLLECTION_STYLE.FLOW;
    return event.type === EVENT_ID.SEQUENCE ? list(depth + 1) : record(depth + 1);
  }

  function scalarOf(event: Event & { type: typeof EVENT_ID.SCALAR }): ReturnType<typeof readPlainScalar> {
    const source = getScalarValue(text, event);
    if (event.style === SCALAR_STYLE.PLAIN && MAYBE_TYPED.test(source)) return readPlainScalar(source);
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED || event.style === SCALAR_STYLE.SINGLE_QUOTED) {
      AFTER_QUOTE.lastIndex = event.valueEnd + 1;
      if (!AFTER_QUOTE.test(text)) throw new NotPlain();
    }
    return { type: 'str', value: source };
  }

  function list(depth: number): unknown[] {
    const items: unknown[] = [];
    while (events[next]?.type !== EVENT_ID.POP) items.push(node(depth));
    next += 1;
    return items;
  }

  function record(depth: number): Record<string, unknown> {
    const mapping = createMappingReader();
    while (events[next]?.type !== EVENT_ID.POP) {
      const name = nameOf(events[next++]);
      if (!mapping.add(name, node(depth))) throw new NotPlain();
    }
    next += 1;
    return mapping.value;
  }

  function nameOf(event: Event | undefined): string {
    if (event?.type !== EVENT_ID.SCALAR) throw new NotPlain();
    const key = readKey(scalarOf(event));
    if ('problem' in key) throw new NotPlain();
    if (event.style === SCALAR_STYLE.PLAIN) {
      COLON_WITHOUT_BLANK.lastIndex = event.valueEnd;
      if (key.name === '<<' || COLON_WITHOUT_BLANK.test(text)) throw new NotPlain();
    }
    return key.name;
  }
}
