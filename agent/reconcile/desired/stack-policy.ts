import { TAKES_OVER } from '../../../lib/fleet/protocol/takes-over.ts';
import type { Manifest } from '../../cluster/cluster.ts';
import { type AdoptMode, type DriftMode, parseAdoptMode, parseDriftMode, USER_ANNOTATION } from './ownership.ts';

/** How a whole stack wants to be treated, as it says itself; what any of its objects says goes before that, and of several the first. */
export interface StackPolicy {
  health: 'wait' | 'apply-only';
  healthTimeoutMs: number;
  /** For objects that don't say it themselves. */
  drift: DriftMode;
  /** For objects that don't say it themselves; another object's word is not for them. */
  adopt: AdoptMode;
  /** For objects that don't say it themselves. */
  recreate: boolean;
  /** The stack whose objects it may take over. Only the control plane says this, which knows whose stacks they are. */
  takesOver: string | undefined;
}

const TIMEOUT_MAX_SECONDS = 86_400;

export function stackPolicy(
  manifests: readonly Manifest[],
  annotations: Readonly<Record<string, string>>,
  { healthTimeoutMs }: { healthTimeoutMs: number },
): StackPolicy {
  const first = (name: string) =>
    manifests.map(({ metadata }) => metadata.annotations?.[name]).find((value) => value !== undefined) ?? annotations[name];
  const seconds = Number(first(USER_ANNOTATION.healthTimeoutSeconds) ?? Number.NaN);
  return {
    health: first(USER_ANNOTATION.health) === 'apply-only' ? 'apply-only' : 'wait',
    healthTimeoutMs: seconds > 0 ? Math.min(seconds, TIMEOUT_MAX_SECONDS) * 1000 : healthTimeoutMs,
    drift: first(USER_ANNOTATION.stackDrift) === 'ignore' ? 'ignore' : (parseDriftMode(annotations[USER_ANNOTATION.drift]) ?? 'correct'),
    adopt: parseAdoptMode(annotations[USER_ANNOTATION.adopt]) ?? 'adopt',
    recreate: annotations[USER_ANNOTATION.recreate] === 'immutable',
    takesOver: annotations[TAKES_OVER],
  };
}
