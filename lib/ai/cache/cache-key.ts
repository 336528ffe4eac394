import { hash } from 'node:crypto';

/** What an answer depends on. */
export interface CacheQuestion {
  project_id: string;
  operation: string;
  /** The provider and the model that are asked, after routing. */
  provider_id: string;
  model: string;
  request: Readonly<Record<string, unknown>>;
}

/**
 * The only members of a request that don't change the answer, beside `model`, which routing replaces. Every other one counts, also one that
 * nobody knows yet: a list of what counts would forget the newest member.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['stream', 'stream_options', 'model']);

/** A value whose digits JavaScript doesn't keep, so that two requests would look like one. */
class NotExact extends Error {}

/**
 * One key for all requests that get the same answer, whatever the order of their members. Undefined if the request has a number that can't
 * be told from its neighbours.
 */
export function cacheKey({ project_id, operation, provider_id, model, request }: CacheQuestion): string | undefined {
  const parts = [project_id, operation, provider_id, model].map((part) => JSON.stringify(part)).join(',');
  const told = Object.keys(request).filter((name) => !WITHOUT_EFFECT.has(name));
  try {
    return hash('sha256', `1,${parts},${canonicalMembers(request, told)}`);
  } catch (error) {
    if (error instanceof NotExact) return undefined;
    throw error;
  }
}

const canonicalMembers = (value: Readonly<Record<string, unknown>>, names: string[]): string =>
  `{${names
    .filter((name) => value[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join(',')}}`;

/** JSON with the members of each object in one order. */
function canonical(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) throw new NotExact();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  return canonicalMembers(value as Record<string, unknown>, Object.keys(value));
}
