import type { LiveObject } from '../../cluster/cluster.ts';

/**
 * `healthy`: does what it is there for, as far as the object itself tells. `progressing`: not yet. `failed`: won't without someone
 * changing something. `unknown`: the object doesn't tell.
 */
export type HealthStatus = 'healthy' | 'progressing' | 'failed' | 'unknown';

export interface ObjectHealth {
  status: HealthStatus;
  /** Why, for people. */
  message?: string;
}

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration: number | undefined;
}

export const healthy = (message?: string): ObjectHealth => ({ status: 'healthy', ...(message !== undefined && { message }) });
export const progressing = (message: string): ObjectHealth => ({ status: 'progressing', message });
export const failed = (message: string): ObjectHealth => ({ status: 'failed', message });

/** A JSON object, or an empty one: a status is written by others, and what it lacks is lacking. */
export const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
export const items = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(fields) : []);
export const count = (value: unknown, absent = 0): number => (typeof value === 'number' ? value : absent);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const specOf = (live: LiveObject): Record<string, unknown> => fields(live.spec);
export const statusOf = (live: LiveObject): Record<string, unknown> => fields(live.status);

export const conditionsOf = (live: LiveObject): Condition[] =>
  items(statusOf(live).conditions).map(({ type, status, reason, message, observedGeneration }) => ({
    type: text(type),
    status: text(status),
    reason: text(reason),
    message: text(message),
    observedGeneration: generationIn(observedGeneration),
  }));

/** Some controllers write the generation as a text. Others write a hash, which can't be compared: undefined. */
const generationIn = (value: unknown): number | undefined => {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  return typeof value === 'number' ? value : undefined;
};

export const conditionOf = (live: LiveObject, type: string): Condition | undefined =>
  conditionsOf(live).find((condition) => condition.type === type);

/** A condition in words: its message if it has one, else its reason. */
export const wordsOf = ({ type, status, reason, message }: Condition): string => message || reason || `${type} is ${status}`;

/** A controller writes the generation it has seen; a status of an earlier one tells about an earlier object. */
export function unobserved(live: LiveObject): ObjectHealth | undefined {
  const { observedGeneration = 0 } = statusOf(live);
  const observed = generationIn(observedGeneration);
  return observed !== undefined && observed < count(live.metadata.generation)
    ? progressing('its controller has not seen this change yet')
    : undefined;
}

/** The first shortage of a list, in words. */
export function shortage(...shortages: readonly [have: number, want: number, what: string][]): ObjectHealth | undefined {
  const short = shortages.find(([have, want]) => have < want);
  return short && progressing(`${short[0]} of ${short[1]} ${short[2]}`);
}
