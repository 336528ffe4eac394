import { TAKES_OVER } from '../../../lib/fleet/protocol/takes-over.ts';
import type { LiveObject, Manifest } from '../../cluster/cluster.ts';
import type { DeploymentRef } from '../../control-plane/stack-assignment.ts';

/** Labels, to select by; and annotations too, which other tools read. */
export const STACK_KEY = 'k8s.brokkr.io/stack';
export const OWNER_KEY = 'brokkr.io/owner-id';
export const FIELD_MANAGER = 'brokkr-controller';

/** Annotations that users may write on an object to change how it is treated. */
export const USER_ANNOTATION = {
  /** `"true"`: never deleted because it left the stack or the stack left the agent. */
  keep: 'brokkr.io/keep',
  /** On an object or its stack: what is done about changes made in the cluster: see DriftMode. */
  drift: 'brokkr.io/drift',
  /** `"false"`: a field owned by another manager is a failure, not taken over; `"true"` the other way round. */
  forceConflicts: 'brokkr.io/force-conflicts',
  /** On an object or its stack. Decides on an object that was there before and belongs to nobody: see AdoptMode. */
  adopt: 'brokkr.io/adopt',
  /** For the whole stack: on the stack itself, or on any of its objects. */
  stackDrift: 'brokkr.io/stack-drift',
  healthTimeoutSeconds: 'brokkr.io/health-timeout-seconds',
  /** On an object or its stack: JSON pointers of fields that are left to others, separated by commas or blanks. */
  ignoreFields: 'brokkr.io/ignore-fields',
  health: 'brokkr.io/health',
  /** `"immutable"`, on an object or its stack: what can't be changed in place is deleted and created again. */
  recreate: 'brokkr.io/recreate',
} as const;

/** The annotations that are read on a stack, too. */
export const STACK_ANNOTATIONS: ReadonlySet<string> = new Set([
  USER_ANNOTATION.stackDrift,
  USER_ANNOTATION.drift,
  USER_ANNOTATION.healthTimeoutSeconds,
  USER_ANNOTATION.health,
  USER_ANNOTATION.adopt,
  USER_ANNOTATION.ignoreFields,
  USER_ANNOTATION.recreate,
  TAKES_OVER,
]);

/** `correct`: they are put right · `report`: an event names them, and they stay · `ignore`: nobody looks for them. */
export type DriftMode = 'correct' | 'report' | 'ignore';

/** A word that nobody knows changes nothing in the cluster. */
export function parseDriftMode(text: string | undefined): DriftMode | undefined {
  if (!text) return undefined;
  return text === 'correct' || text === 'ignore' ? text : 'report';
}

/** `adopt`: it is changed, but never deleted · `own`: it becomes the stack's, deletion included · `never`: the stack is refused. */
export type AdoptMode = 'adopt' | 'own' | 'never';

/** On an object that was there before its stack: it outlives the stack. Kept on the object itself, since an inventory may be lost. */
const ADOPTED_KEY = 'brokkr.io/adopted';

export interface Owner {
  agentId: string;
  stackId: string;
}

export const ownedBySomeone = OWNER_KEY;
export const ownedBy = ({ agentId, stackId }: Owner): string => `${OWNER_KEY}=${agentId},${STACK_KEY}=${stackId}`;

const CHECKSUM_KEY = 'k8s.brokkr.io/deployment-checksum';
const DEPLOYMENT_OBJECT_KEY = 'brokkr.io/deployment-object-id';
const LAST_CONFIG_KEY = 'k8s.brokkr.io/last-config-applied';

/** All that `stamp` and `markAdopted` write on an object. */
export const MARKS = {
  labels: [STACK_KEY, OWNER_KEY],
  annotations: [STACK_KEY, OWNER_KEY, CHECKSUM_KEY, DEPLOYMENT_OBJECT_KEY, LAST_CONFIG_KEY, ADOPTED_KEY],
} as const;

/** The manifest as it is applied: the user's, with the marks of its owner. */
export function stamp(manifest: Manifest, { agentId, stackId }: Owner, { objectId, checksum }: Omit<DeploymentRef, 'sequence'>): Manifest {
  const { labels } = manifest.metadata;
  const { [ADOPTED_KEY]: _notForUsers, ...annotations } = manifest.metadata.annotations ?? {};
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...labels, [STACK_KEY]: stackId, [OWNER_KEY]: agentId },
      annotations: {
        ...annotations,
        [STACK_KEY]: stackId,
        [CHECKSUM_KEY]: checksum,
        [DEPLOYMENT_OBJECT_KEY]: objectId,
        [LAST_CONFIG_KEY]: checksum,
        [OWNER_KEY]: agentId,
      },
    },
  };
}

/** The other owner of a live object, in words; undefined if it is this stack's or nobody's. */
export function otherOwner(live: LiveObject, { agentId, stackId }: Owner): string | undefined {
  const owner = live.metadata.labels?.[OWNER_KEY];
  const stack = live.metadata.labels?.[STACK_KEY];
  if (owner !== undefined && owner !== agentId) return `agent ${owner}`;
  if (owner === agentId && stack !== undefined && stack !== stackId) return `stack ${stack}`;
  return undefined;
}

export const isOwned = (live: LiveObject, { agentId, stackId }: Owner): boolean =>
  live.metadata.labels?.[OWNER_KEY] === agentId && live.metadata.labels?.[STACK_KEY] === stackId;

export const markAdopted = (manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, annotations: { ...manifest.metadata.annotations, [ADOPTED_KEY]: 'true' } },
});

export const isAdopted = ({ metadata: { annotations } }: Manifest): boolean => annotations?.[ADOPTED_KEY] === 'true';

/** The object's own word goes before its stack's. */
export function adoptMode({ metadata: { annotations } }: Manifest, ofStack: AdoptMode): AdoptMode {
  return parseAdoptMode(annotations?.[USER_ANNOTATION.adopt]) ?? ofStack;
}

/** A word that nobody knows, such as `Never` or `false`, takes no stranger's object. */
export function parseAdoptMode(text: string | undefined): AdoptMode | undefined {
  if (!text) return undefined;
  return text === 'own' || text === 'adopt' ? text : 'never';
}
