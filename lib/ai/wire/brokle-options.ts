import * as z from 'zod';
import { requestError } from './request-error.ts';

/** Other names of the strategies, as earlier clients have them. */
const STRATEGIES = {
  balanced: 'balanced',
  cost: 'cost',
  latency: 'latency',
  quality: 'quality',
  reliability: 'reliability',
  cost_optimized: 'cost',
  latency_optimized: 'latency',
  quality_optimized: 'quality',
  reliability_optimized: 'reliability',
} as const;
const strategyNames = ['balanced', 'cost', 'latency', 'quality', 'reliability'] as const;
const StrategyName = z.enum([...strategyNames, 'cost_optimized', 'latency_optimized', 'quality_optimized', 'reliability_optimized']);

const text = (longest: number) => z.string().min(1).max(longest);

/** The gateway's own options of one call: the member `brokle` of a body. They never reach a provider. */
const BrokleOptionsBody = z.strictObject({
  routing_strategy: StrategyName.transform((name) => STRATEGIES[name]).nullish(),
  cache_strategy: z.enum(['semantic', 'exact', 'disabled']).nullish(),
  cache_similarity_threshold: z.number().min(0).max(1).nullish(),
  max_cost_usd: z.number().positive().max(1e9).nullish(),
  environment: text(64).nullish(),
  tags: z.array(text(64)).max(32).nullish(),
  trace_id: text(128).nullish(),
  parent_span_id: text(128).nullish(),
  user_id: text(256).nullish(),
  session_id: text(256).nullish(),
  fallbacks: z.array(text(256)).max(8).nullish(),
});
type Parsed = z.output<typeof BrokleOptionsBody>;

export type BrokleOptions = { [Name in keyof Parsed]?: NonNullable<Parsed[Name]> };

export const NO_OPTIONS: BrokleOptions = Object.freeze({});
const HEADER = 'x-brokle-';

/**
 * The options of one call: the body's `brokle`, and `x-brokle-*` headers for clients that can't change the body. The body wins. An option
 * that nobody knows is refused, because a misspelled limit would be no limit.
 */
export function brokleOptions(body: unknown, headers: Readonly<Record<string, string | undefined>>): BrokleOptions {
  const fromHeaders = headerOptions(headers);
  if (body === undefined || body === null) return fromHeaders === undefined ? NO_OPTIONS : parse(fromHeaders, headerParam);
  const fromBody = parse(body, (path) => ['brokle', ...path].join('.'));
  return fromHeaders === undefined ? fromBody : { ...parse(fromHeaders, headerParam), ...fromBody };
}

const headerParam = ([name = '']: readonly string[]) => HEADER + name.replaceAll('_', '-');

function parse(value: unknown, param: (path: string[]) => string): BrokleOptions {
  const result = BrokleOptionsBody.safeParse(value);
  if (result.success) return withoutNulls(result.data);
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const name = param([...place(issue.path), issue.keys[0] ?? '']);
    throw requestError(name, `Unknown option: '${name}'.`, 'unknown_parameter');
  }
  const name = param(place(issue?.path ?? []));
  throw requestError(name, `Invalid value for '${name}': ${issue?.message ?? 'not as documented'}.`);
}

const place = (path: readonly PropertyKey[]) => path.map((part) => (typeof part === 'number' ? `[${part}]` : String(part)));

const withoutNulls = (options: Parsed): BrokleOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== undefined));

const NUMBERS: ReadonlySet<string> = new Set(['cache_similarity_threshold', 'max_cost_usd']);
const LISTS: ReadonlySet<string> = new Set(['tags', 'fallbacks']);

function headerOptions(headers: Readonly<Record<string, string | undefined>>): Record<string, unknown> | undefined {
  let options: Record<string, unknown> | undefined;
  for (const header in headers) {
    if (!header.startsWith(HEADER)) continue;
    const value = headers[header];
    if (value === undefined) continue;
    const name = header.slice(HEADER.length).replaceAll('-', '_');
    options ??= {};
    options[name] = LISTS.has(name) ? listOf(value) : NUMBERS.has(name) ? numberOf(value) : value;
  }
  return options;
}

const listOf = (value: string) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const numberOf = (value: string) => (/^\d+(\.\d+)?(e-?\d+)?$/i.test(value) ? Number(value) : value);
