import type { AnyEndpoint } from './endpoint.ts';
import type { AnySurface } from './surface.ts';

export type Match =
  | { kind: 'endpoint'; endpoint: AnyEndpoint; params: Record<string, string> }
  | { kind: 'method-not-allowed'; allow: readonly string[]; surface: AnySurface; authenticated: boolean }
  | { kind: 'not-found' };

interface Leaf {
  endpoint: AnyEndpoint;
  /** Of the path's parameters, in their order. */
  names: readonly string[];
}

type Leaves = readonly [Leaf, ...Leaf[]];

interface Node {
  literal: Map<string, Node>;
  param: Node | undefined;
  leaves: Leaf[];
}
const node = (): Node => ({ literal: new Map(), param: undefined, leaves: [] });

/** A tree of path segments over a list of endpoints; literals win over parameters. Lookup costs one step a segment. */
export function createRouter(endpoints: readonly AnyEndpoint[]): (method: string, path: string) => Match {
  const root = node();
  for (const endpoint of endpoints) insert(root, endpoint);
  return (method, path) => {
    const values: string[] = [];
    const found = descend(root, segmentsOf(path), 0, values);
    if (!found) return { kind: 'not-found' };
    // HEAD is GET without the body, as everywhere on the web.
    const verb = method === 'HEAD' ? 'GET' : method;
    const leaf = found.find(({ endpoint }) => endpoint.method === verb);
    if (!leaf) return methodNotAllowed(found);
    const { endpoint, names } = leaf;
    return { kind: 'endpoint', endpoint, params: Object.fromEntries(names.map((name, at) => [name, values[at] ?? ''])) };
  };
}

function methodNotAllowed(leaves: Leaves): Match {
  const [{ endpoint: first }] = leaves;
  return {
    kind: 'method-not-allowed',
    allow: leaves.flatMap(({ endpoint }) => (endpoint.method === 'GET' ? ['GET', 'HEAD'] : [endpoint.method])),
    surface: first.surface,
    authenticated: leaves.every(({ endpoint }) => endpoint.access !== 'public'),
  };
}

export const parameterNames = (path: string): string[] => [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name ?? '');

const segmentsOf = (path: string) => path.split('/').slice(1);

function insert(root: Node, endpoint: AnyEndpoint): void {
  let at = root;
  for (const segment of segmentsOf(endpoint.path)) {
    if (segment.startsWith('{')) {
      at.param ??= node();
      at = at.param;
    } else {
      const next = at.literal.get(segment) ?? node();
      at.literal.set(segment, next);
      at = next;
    }
  }
  if (at.leaves.some((other) => other.endpoint.method === endpoint.method)) {
    throw new Error(`two endpoints answer ${endpoint.method} ${endpoint.path}`);
  }
  at.leaves.push({ endpoint, names: parameterNames(endpoint.path) });
}

function descend(at: Node, segments: readonly string[], depth: number, values: string[]): Leaves | undefined {
  const segment = segments[depth];
  if (segment === undefined) {
    const [first, ...rest] = at.leaves;
    return first && [first, ...rest];
  }
  const literal = at.literal.get(segment);
  const found = literal && descend(literal, segments, depth + 1, values);
  if (found) return found;
  if (!at.param || segment === '') return undefined;
  values.push(decode(segment));
  const below = descend(at.param, segments, depth + 1, values);
  if (!below) values.pop();
  return below;
}

/** What cannot be decoded is left for the endpoint's own rules to refuse. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
