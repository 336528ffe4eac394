import { YamlError } from '../../../lib/fleet/protocol/yaml-rules.ts';
import type { Manifest, ObjectRef } from '../../cluster/cluster.ts';
import type { Assigned } from '../../control-plane/stack-assignment.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { BodyStore } from '../../state/body-store.ts';
import { ManifestError, parseManifests } from './manifests.ts';
import { objectKey, refOf } from './object-key.ts';

/** The manifests of stacks. Both reject with a ControlPlaneError, YamlError or ManifestError. */
export interface StackContents {
  /** Reads them and keeps them for the `take` that follows. */
  prefetch(assignment: Assigned): Promise<readonly Manifest[]>;
  /** Hands out what was prefetched, once, or else reads it. */
  take(assignment: Assigned): Promise<readonly Manifest[]>;
}

export function createStackContents({ bodies, stop }: { bodies: BodyStore; stop: AbortSignal }): StackContents {
  const prefetched = new Map<string, { objectId: string; reading: Promise<readonly Manifest[]> }>();

  async function read({ stackId, deployment }: Assigned): Promise<readonly Manifest[]> {
    const manifests = await parseManifests(await bodies.get(stackId, deployment, stop)).catch((error: unknown) => {
      throw error instanceof YamlError ? withoutSource(error) : error;
    });
    // Removing everything is a deletion marker's to say; an empty text may be an accident.
    if (manifests.length === 0) throw new ManifestError(MESSAGES.noObjects());
    return manifests;
  }

  return {
    async prefetch(assignment) {
      const { stackId, deployment } = assignment;
      const entry = { objectId: deployment.objectId, reading: read(assignment) };
      prefetched.set(stackId, entry);
      try {
        return await entry.reading;
      } catch (error) {
        // It may be readable by the time it is taken.
        if (prefetched.get(stackId) === entry) prefetched.delete(stackId);
        throw error;
      }
    },
    take(assignment) {
      const { stackId, deployment } = assignment;
      const ready = prefetched.get(stackId);
      prefetched.delete(stackId);
      return ready?.objectId === deployment.objectId ? ready.reading : read(assignment);
    },
  };
}

/** A parser quotes what it can't make sense of: a password without quotes may begin like an alias, a tag or a block. */
function withoutSource({ code, reason, document, line }: YamlError): YamlError {
  const told = reason.replace(/\b(unknown alias|unresolved tag|extra characters):? .*$/is, '$1');
  return new YamlError(code, told, { document, line });
}

/** How many of these objects are not among the manifests. */
export function countDropped(objects: readonly ObjectRef[], manifests: readonly Manifest[], defaultNamespace: string): number {
  const wanted = new Set(manifests.flatMap((manifest) => keysIn(refOf(manifest), defaultNamespace)));
  return objects.filter((ref) => !wanted.has(objectKey(ref))).length;
}

/** The keys that an object may have: a manifest alone does not say whether its kind has namespaces. */
const keysIn = ({ namespace, ...ref }: ObjectRef, defaultNamespace: string): string[] => [
  objectKey(ref),
  objectKey({ ...ref, namespace: namespace ?? defaultNamespace }),
];
