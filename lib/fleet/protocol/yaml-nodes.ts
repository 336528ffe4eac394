import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from 'yaml';
import { createAnchors } from './yaml-anchors.ts';
import { createMappingReader } from './yaml-mapping.ts';
import { type NodeContext, YAML_LIMITS } from './yaml-rules.ts';
import { type PlainScalar, readKey, readPlainScalar } from './yaml-scalars.ts';
import { createTextChecks } from './yaml-text-checks.ts';

const CORE = 'tag:yaml.org,2002:';

/**
 * Makes values of a document's nodes. The library could do it, but its search for duplicate keys and for the targets of aliases takes time
 * by the square of the text's length, and it doesn't merge as kubectl does.
 */
export function createNodeReader({ text, budget, refuse }: NodeContext): { read(node: ParsedNode | null): unknown } {
  const { named, targetOf, spend } = createAnchors({ budget, refuse });
  const { checkScalar, checkBreaks } = createTextChecks({ text, refuse });
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

  function readScalar(node: Scalar.Parsed, aliased: boolean): unknown {
    const scalar = scalarOf(node, aliased);
    if (scalar.type === 'unclear') throw refuse('unclear_number', scalar.problem, node.range[0]);
    return scalar.value;
  }

  function scalarOf(node: Scalar.Parsed, aliased: boolean): PlainScalar {
    if (aliased) spend(node, node.source.length);
    else checkScalar(node, { inFlow: flows > 0 });
    return named(node, aliased, () => {
      if (node.tag === undefined) return node.type === 'PLAIN' ? readPlainScalar(node.source) : { type: 'str', value: node.source };
      return readTagged(node, node.tag, refuse);
    });
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
}

function readTagged(node: Scalar.Parsed, tag: string, refuse: NodeContext['refuse']): PlainScalar {
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
