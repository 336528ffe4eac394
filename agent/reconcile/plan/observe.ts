import { ClusterError, isUnserved, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { inParallel } from '../../in-parallel.ts';
import { objectKey, refOf } from '../desired/object-key.ts';
import { type ClusterEffects, retrying } from '../effects/cluster-effects.ts';

/** The ports that looking at a cluster needs. */
export type Looking = Pick<ClusterEffects, 'cluster' | 'clock' | 'random' | 'stop'>;

const LISTS_AT_ONCE = 8;

export interface Observed {
  live: Map<string, LiveObject>;
  /** The objects of kinds that could not be asked for, by key: whether they exist is not known. */
  unknown: Map<string, ClusterError>;
}

/** A kind that is not served, or whose own server is away, says nothing about its objects, and stands in no other kind's way. */
const isAboutTheKind = (error: unknown): error is ClusterError =>
  isUnserved(error) || (error instanceof ClusterError && error.status === 503);

/**
 * Rejects if it is not known whether one of these objects is there, so that nobody's object is taken for a free name. A kind that is
 * not served has no objects that an apply could meet.
 */
export function requireKnown({ unknown }: Observed, keys: Iterable<string>): void {
  for (const key of keys) {
    const error = unknown.get(key);
    if (error && !isUnserved(error)) throw error;
  }
}

/** The live objects among `refs` which the selector picks: one list for each kind and namespace, however many objects there are. */
export async function observe(effects: Looking, refs: readonly ObjectRef[], labelSelector: string): Promise<Observed> {
  const places = new Map<string, ObjectRef[]>();
  for (const ref of refs) {
    const place = `${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}`;
    const members = places.get(place);
    if (members) members.push(ref);
    else places.set(place, [ref]);
  }
  const observed: Observed = { live: new Map(), unknown: new Map() };
  await inParallel([...places.values()], LISTS_AT_ONCE, async (wanted) => {
    const [{ apiVersion, kind, namespace } = { apiVersion: '', kind: '' }] = wanted;
    const keys = new Set(wanted.map(objectKey));
    try {
      const options = { labelSelector, ...(namespace !== undefined && { namespace }), signal: effects.stop };
      const list = () => effects.cluster.list({ apiVersion, kind }, options);
      // A kind whose own server is away is left unknown at once. A definition that has just changed is served again within a second or two.
      for (const live of await retrying(effects, list, ({ retryable, status }) => retryable && status !== 503)) {
        // Members of a typed list may leave out what kind they are.
        const key = objectKey({ ...refOf(live), apiVersion, kind });
        if (keys.has(key)) observed.live.set(key, live);
      }
    } catch (error) {
      if (!isAboutTheKind(error)) throw error;
      for (const key of keys) observed.unknown.set(key, error);
    }
  });
  return observed;
}
