import { type Alias, isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from 'yaml';
import { createMappingReader } from './yaml-mapping.ts';
import { YAML_LIMITS, type YamlBudget, type YamlError, type YamlErrorCode } from './yaml-rules.ts';
import { type PlainScalar, readKey, readPlainScalar } from './yaml-scalars.ts';

interface NodeReaderOptions {
  /** The document's text. */
  text: string;
  budget: YamlBudget;
  refuse(code: YamlErrorCode, message: string, offset: number): YamlError;
}

const COLON_WITHOUT_BLANK = / *:[,[\]{}]/y;
const ESCAPED_BREAK_BEFORE_BLANK_LINE = /\\\n[ \t]*\n/;

const ANCHOR_NAME = /^[\w-]+$/;
type Anchored = Exclude<ParsedNode, Alias.Parsed>;

const CORE = 'tag:yaml.org,2002:';

/**
 * Makes values of a document's nodes. The library could do it, but its search for duplicate keys and for the targets of aliases takes time
 * by the square of the text's length, and it doesn't merge as kubectl does.
 */
export function createNodeReader({ text, budget, refuse }: NodeReaderOptions): { read(node: ParsedNode | null): unknown } {
  const anchors = new Map<string, ParsedNode | 'open'>();
  /** The node that each alias stands for. It is noted at the alias's place, because a later anchor may take the same name. */
  const targets = new Map<ParsedNode, ParsedNode>();
  let lineSeparators = 0;
  /** The flow collections that are being read, the outermost first. */
  let flows = 0;

  return {
    read(root) {
      const value = read(root, 0, false);
      checkBreaks();
      return value;
    },
  };

  function read(node: ParsedNode | null, depth: number, aliased: boolean): unknown {
    if (node === null) return null;
    if (isScalar(node)) return readScalar(node, aliased);
    const at = node.range[0];
    if (depth > YAML_LIMITS.depth) throw refuse('too_deep', `must not nest deeper than ${YAML_LIMITS.depth} levels`, at);
    if (aliased) spend(node, 0);
    if (isAlias(node)) return read(targetOf(node, node.source), depth + 1, true);
    const [own, kind] = isSeq(node) ? [`${CORE}seq`, 'list'] : [`${CORE}map`, 'mapping'];
    if (node.tag !== undefined && node.tag !== own) throw refuse('custom_tag', `the tag ${node.tag} is not taken for a ${kind}`, at);
    if (node.flow) flows += 1;
    const value = named(node, aliased, () =>
      isSeq(node) ? readList(node.items, depth, aliased) : readMapping(node.items, depth, aliased),
    );
    if (node.flow) flows -= 1;
    return value;
  }

  /** Keeps a node's anchor open while the node is read: an alias to it would contain itself. */
  function named<T>(node: Anchored, aliased: boolean, value: () => T): T {
    const anchor = node.anchor;
    if (!anchor || aliased) return value();
    if (!ANCHOR_NAME.test(anchor)) {
      throw refuse(
        'unclear_text',
        `to kubectl the name of &${anchor.slice(0, 40)} ends earlier: use letters, digits, _ and -`,
        node.range[0],
      );
    }
    anchors.set(anchor, 'open');
    const result = value();
    anchors.set(anchor, node);
    return result;
  }

  function targetOf(alias: ParsedNode, name: string): ParsedNode {
    const target = targets.get(alias) ?? anchors.get(name);
    if (target === 'open') throw refuse('too_many_aliases', `*${name} contains itself`, alias.range[0]);
    if (!target) throw refuse('syntax', `unknown alias *${name}`, alias.range[0]);
    targets.set(alias, target);
    return target;
  }

  function spend(node: ParsedNode, characters: number): void {
    budget.aliasedNodes -= 1;
    budget.aliasedCharacters -= characters;
    if (budget.aliasedNodes >= 0 && budget.aliasedCharacters >= 0) return;
    throw refuse('too_many_aliases', 'is too large once its aliases are resolved', node.range[0]);
  }

  function readScalar(node: Scalar.Parsed, aliased: boolean): unknown {
    const scalar = scalarOf(node, aliased);
    if (scalar.type === 'unclear') throw refuse('unclear_number', scalar.problem, node.range[0]);
    return scalar.value;
  }

  function scalarOf(node: Scalar.Parsed, aliased: boolean): PlainScalar {
    if (aliased) spend(node, node.source.length);
    else checkScalar(node);
    return named(node, aliased, () => {
      if (node.tag === undefined) return node.type === 'PLAIN' ? readPlainScalar(node.source) : { type: 'str', value: node.source };
      return tagged(node, node.tag);
    });
  }

  function tagged(node: Scalar.Parsed, tag: string): PlainScalar {
    if (tag === `${CORE}str`) return { type: 'str', value: node.source };
    const scalar = readPlainScalar(node.source);
    if (tag === `${CORE}${scalar.type}`) return scalar;
    if (tag === `${CORE}float` && scalar.type === 'int') return { type: 'float', value: Number(node.source.replaceAll('_', '')) };
    const known = ['int', 'float', 'bool', 'null'].some((name) => tag === `${CORE}${name}`);
    throw refuse(
      'custom_tag',
      known ? `${node.source.slice(0, 40)} is no ${tag.slice(CORE.length)}` : `the tag ${tag} is not taken`,
      node.range[0],
    );
  }

  function readList(items: readonly unknown[], depth: number, aliased: boolean): unknown[] {
    return items.map((item) => read(item as ParsedNode | null, depth + 1, aliased));
  }

  function readMapping(items: readonly { key: unknown; value: unknown }[], depth: number, aliased: boolean): Record<string, unknown> {
    const mapping = createMappingReader();
    for (const item of items) {
      const key = item.key as ParsedNode | null;
      const value = item.value as ParsedNode | null;
      if (key === null || !isScalar(key))
        throw refuse('unclear_key', 'a key must be a word, a number or a quoted text', key?.range[0] ?? 0);
      if (key.type === 'PLAIN' && key.source === '<<' && key.tag === undefined) {
        for (const other of mergedBy(value, key, depth, aliased)) mapping.merge(other);
        continue;
      }
      const scalar = readKey(scalarOf(key, aliased));
      if ('problem' in scalar) throw refuse('unclear_key', scalar.problem, key.range[0]);
      const { name } = scalar;
      if (!mapping.add(name, read(value, depth + 1, aliased))) {
        throw refuse('duplicate_key', `key "${name.slice(0, 100)}" is there twice`, key.range[0]);
      }
    }
    return mapping.value;
  }

  /** Returns the mappings in the order in which they are merged: in a list, the first mapping wins. */
  function mergedBy(node: ParsedNode | null, key: ParsedNode, depth: number, aliased: boolean): Record<string, unknown>[] {
    const sources = isSeq(node) ? [...node.items].reverse() : [node];
    return sources.map((source) => {
      const mapping = isAlias(source) ? targetOf(source, source.source) : source;
      if (!isMap(mapping)) throw refuse('syntax', '<< takes a mapping or a list of mappings', key.range[0]);
      return read(source as ParsedNode, depth + 1, aliased) as Record<string, unknown>;
    });
  }

  function checkScalar(node: Scalar.Parsed): void {
    const [start, end] = node.range;
    // U+2028 and U+2029 end a line to kubectl, except in the middle of quoted text.
    if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') {
      lineSeparators += text.slice(start, end).match(/(?<=\S)[\u2028\u2029](?=\S)/g)?.length ?? 0;
      if (node.type === 'QUOTE_DOUBLE' && ESCAPED_BREAK_BEFORE_BLANK_LINE.test(text.slice(start, end))) {
        throw refuse('unclear_text', 'kubectl keeps a blank line after a \\ at the end of a line: leave out one of the two', start);
      }
    } else if (node.type === 'PLAIN' && flows > 0 && (text[start] === '?' || colonWithoutBlank(end))) {
      throw refuse('unclear_text', 'in brackets and braces kubectl takes a : or ? otherwise without a blank after it', start);
    }
  }

  function colonWithoutBlank(end: number): boolean {
    COLON_WITHOUT_BLANK.lastIndex = end;
    return COLON_WITHOUT_BLANK.test(text);
  }

  function checkBreaks(): void {
    if ((text.match(/[\u2028\u2029]/g)?.length ?? 0) <= lineSeparators) return;
    throw refuse(
      'unclear_text',
      'U+2028 and U+2029 end a line to kubectl: write them as escapes in double quotes',
      text.search(/[\u2028\u2029]/),
    );
  }
}
