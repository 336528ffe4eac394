import type { Alias, ParsedNode } from 'yaml';
import type { NodeContext } from './yaml-rules.ts';

export type AnchoredNode = Exclude<ParsedNode, Alias.Parsed>;

const ANCHOR_NAME = /^[\w-]+$/;

/** The anchors of one document, and the budget for the values that their aliases repeat. */
export function createAnchors({ budget, refuse }: Pick<NodeContext, 'budget' | 'refuse'>) {
  const anchors = new Map<string, ParsedNode | 'open'>();
  /** The node that each alias stands for. It is noted at the alias's place, because a later anchor may take the same name. */
  const targets = new Map<ParsedNode, ParsedNode>();

  return { named, targetOf, spend };

  /** Keeps a node's anchor open while the node is read: an alias to it would contain itself. */
  function named<T>(node: AnchoredNode, aliased: boolean, value: () => T): T {
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
}
