import type { Assignment } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { Manifest, ObjectRef } from '../../cluster/cluster.ts';
import type { BodyStore } from '../../state/body-store.ts';
import { ManifestError, parseManifests } from './manifests.ts';
import { objectKey, refOf } from './object-key.ts';

/** An assignment that has contents. */
export type Assigned = Assignment & { deployment_object_id: string; sequence_id: number; checksum: string };

export interface StackContents {
  /** Rejects with a ControlPlaneError, YamlError or ManifestError. */
  manifests(assignment: Assigned): Promise<readonly Manifest[]>;
  /** How many of these objects the new contents leave out; unknown contents leave out none. Keeps what it read for the apply. */
  leavesOut(assignment: Assigned, objects: readonly ObjectRef[]): Promise<number>;
}

interface StackContentsOptions {
  bodies: BodyStore;
  /** For namespaced objects that name none. */
  defaultNamespace: string;
  stop: AbortSignal;
}

export function createStackContents({ bodies, defaultNamespace, stop }: StackContentsOptions): StackContents {
  const prepared = new Map<string, { objectId: string; reading: Promise<readonly Manifest[]> }>();

  async function read(assignment: Assigned): Promise<readonly Manifest[]> {
    const manifests = parseManifests(await bodies.get(assignment, stop));
    // Removing everything is a deletion marker's to say; an empty text may be an accident.
    if (manifests.length === 0) throw new ManifestError('it has no objects; to remove everything, submit a deletion marker');
    return manifests;
  }

  return {
    manifests(assignment) {
      const ready = prepared.get(assignment.stack_id);
      prepared.delete(assignment.stack_id);
      return ready?.objectId === assignment.deployment_object_id ? ready.reading : read(assignment);
    },
    async leavesOut(assignment, objects) {
      const reading = read(assignment);
      prepared.set(assignment.stack_id, { objectId: assignment.deployment_object_id, reading });
      try {
        const wanted = new Set((await reading).flatMap((manifest) => keysIn(refOf(manifest), defaultNamespace)));
        return objects.filter((ref) => !wanted.has(objectKey(ref))).length;
      } catch {
        // The apply meets the same and tells it.
        prepared.delete(assignment.stack_id);
        return 0;
      }
    },
  };
}

/** Where an object may be: a manifest alone does not say whether its kind has namespaces. */
const keysIn = ({ namespace, ...ref }: ObjectRef, defaultNamespace: string): string[] => [
  objectKey(ref),
  objectKey({ ...ref, namespace: namespace ?? defaultNamespace }),
];

export function isAssigned(assignment: Assignment): assignment is Assigned {
  return assignment.deployment_object_id !== null && assignment.sequence_id !== null && assignment.checksum !== null;
}
