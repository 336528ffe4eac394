import { groupOf, type LiveObject, type ObjectRef } from '../../cluster/cluster.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { kindHasHealth, type ObjectHealth, objectHealth } from './object-health.ts';
import { type BindingModes, bindingModeOf } from './volume-binding.ts';

/** Kinds of which nothing known is not good enough. */
const JUDGED = new Set(['/Pod', 'apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/Job', '/PersistentVolumeClaim']);

export const hasHealth = ({ apiVersion, kind }: ObjectRef): boolean => kindHasHealth(apiVersion, kind);

/** The object is being deleted; anything applied to it now is lost. */
export const isLeaving = (live: LiveObject | undefined): boolean => live?.metadata.deletionTimestamp !== undefined;

/** If nothing is known of an object, it holds up nobody, unless its kind always tells. */
export function healthOf(
  { ref, hasStatus }: Pick<Desired, 'ref' | 'hasStatus'>,
  live: LiveObject | undefined,
  modes: BindingModes,
): ObjectHealth {
  if (!live) return hasHealth(ref) ? { status: 'progressing', message: MESSAGES.notFound() } : { status: 'healthy' };
  const object = { ...live, apiVersion: ref.apiVersion, kind: ref.kind };
  const found = objectHealth(object, { volumeBindingMode: bindingModeOf(modes, object), hasStatus });
  // Controllers may quote what they were told in a condition.
  const health = found.message === undefined ? found : { ...found, message: withoutValuesOf(found.message, live) };
  const judged = JUDGED.has(`${groupOf(ref.apiVersion)}/${ref.kind}`);
  return health.status === 'unknown' && judged ? { ...health, status: 'progressing' } : health;
}
