import { groupOf, type LiveObject, type Manifest } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import type { Desired } from '../desired/desired.ts';
import type { StackAttempt } from '../stack-attempt.ts';
import { conditionOf } from './object-health-fields.ts';

/** Jobs that the cluster deletes a while after they finished. To make such a one again would run it again. */
const clearsItselfAway = ({ apiVersion, kind, spec }: Manifest): boolean =>
  groupOf(apiVersion) === 'batch' && kind === 'Job' && isObject(spec) && typeof spec.ttlSecondsAfterFinished === 'number';

/** The keys of the Jobs among these objects that ran to their end and will be cleared away for it. */
export const finishedJobs = (live: ReadonlyMap<string, LiveObject>): string[] =>
  [...live].filter(([, object]) => clearsItselfAway(object) && conditionOf(object, 'Complete')?.status === 'True').map(([key]) => key);

/** Whether an object that is gone has done its work. Where nobody waits for Jobs to finish, each is taken to have. */
export const isDone = ({ key, manifest }: Desired, { inventory, policy }: Pick<StackAttempt, 'inventory' | 'policy'>): boolean =>
  clearsItselfAway(manifest) && (policy.health === 'apply-only' || inventory?.finished?.includes(key) === true);
