import type { AnyEndpoint, Method } from './endpoint.ts';
import type { AnySurface } from './surface.ts';

export type Match =
  | { kind: 'endpoint'; endpoint: AnyEndpoint; params: Record<string, string> }
  | { kind: 'method-not-allowed'; allow: readonly string[]; surface: AnySurface; authenticated: boolean }
  | { kind: 'not-found' };

interface Leaf {
  method: Method;
  endpoint: AnyEndpoint;
  /** The names of the path's parameters, in their order. */
  names: readonly string[];
}

type Leaves = readonly [Leaf, ...Leaf[]];

interface Node {
  literal: Map<string, Node>;
  param: Node | undefined;
  leaves: Leaf[];
}
const createNode = (): Node => ({ literal: new Map(), param: undefined, leaves: [] });

/** Routes over a tree of path segments, in which literals win over parameters. A lookup costs one step for each segment. */
export function createRouter(endpoints: readonly AnyEndpoint[]): (method: string, path: string) => Match {
  const root = createNode();
  for (const endpoint of endpoints) for (const path of pathsOf(endpoint)) insert(root, path, endpoint);
  // Literals win over parameters, so a path without parameters has one answer, which is known beforehand.
  const literal = new Map<string, Match>();
  for (const endpoint of endpoints)
    for (const path of pathsOf(endpoint).filter((path) => !path.includes('{')))
      for (const method of methodsOf(endpoint)) literal.set(`${method} ${path}`, { kind: 'endpoint', endpoint, params: NO_PARAMS });
  return (method, path) => {
    const known = literal.get(`${method} ${path}`);
    if (known) return known;
    const values: string[] = [];
    const found = descend(root, segmentsOf(path), 0, values);
    if (!found) return { kind: 'not-found' };
    // HEAD is GET without the body, as everywhere on the web.
    const verb = method === 'HEAD' ? 'GET' : method;
    const leaf = found.find(({ method }) => method === verb);
    if (!leaf) return methodNotAllowed(found);
    const { endpoint, names } = leaf;
    return { kind: 'endpoint', endpoint, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
  };
}

function methodNotAllowed(leaves: Leaves): Match {
  const [{ endpoint: first }] = leaves;
  return {
    kind: 'method-not-allowed',
    allow: leaves.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
    surface: first.surface,
    authenticated: leaves.every(({ endpoint }) => endpoint.access !== 'public'),
  };
}

export const parameterNames = (path: string): string[] => [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name ?? '');

const segmentsOf = (path: string) => path.split('/').slice(1);

/** Every path under which the endpoint answers. */
export const pathsOf = ({ path, aliases = [] }: AnyEndpoint): readonly string[] => [path, ...aliases];

const NO_PARAMS: Record<string, string> = Object.freeze({});
const methodsOf = ({ method, alsoBy = [] }: AnyEndpoint): readonly Method[] => [method, ...alsoBy];

function insert(root: Node, path: string, endpoint: AnyEndpoint): void {
  let node = root;
  for (const segment of segmentsOf(path)) {
    if (segment.startsWith('{')) {
      node.param ??= createNode();
      node = node.param;
    } else {
      const next = node.literal.get(segment) ?? createNode();
      node.literal.set(segment, next);
      node = next;
    }
  }
  for (const method of methodsOf(endpoint)) {
    if (node.leaves.some((other) => other.method === method)) throw new Error(`two endpoints answer ${method} ${path}`);
    node.leaves.push({ method, endpoint, names: parameterNames(path) });
  }
}

function descend(node: Node, segments: readonly string[], depth: number, values: string[]): Leaves | undefined {
  const segment = segments[depth];
  if (segment === undefined) {
    const [first, ...rest] = node.leaves;
    return first && [first, ...rest];
  }
  const literal = node.literal.get(segment);
  const found = literal && descend(literal, segments, depth + 1, values);
  if (found) return found;
  if (!node.param || segment === '') return undefined;
  values.push(decode(segment));
  const below = descend(node.param, segments, depth + 1, values);
  if (!below) values.pop();
  return below;
}

/** A segment that cannot be decoded stays as it is: the endpoint's rules refuse it. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
