import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { ObjectRef } from '../../cluster/cluster.ts';
import type { DeploymentRef } from '../../control-plane/stack-assignment.ts';
import { objectKey } from '../desired/object-key.ts';

/** `uid` is of the object that was applied last; one of the same name with another uid was made by somebody else. */
export type OwnedRef = ObjectRef & { uid?: string };

/** The objects that one stack owns in the cluster, as far as this agent has gone. */
export interface Inventory {
  stackId: string;
  /** Rises with each write, so that of two copies the newer one is known. Milliseconds since 1970, or more. */
  revision?: number | undefined;
  /** The newest deployment object that was begun. */
  deployment: DeploymentRef;
  /** Whether it was applied to its end. */
  isApplied: boolean;
  objects: OwnedRef[];
  /** How many objects it had before those of an attempt were added, until what that attempt drops is gone. */
  ownedBefore?: number | undefined;
  /** The keys of Jobs seen to finish since these contents were applied, which may be gone by now. */
  finished?: string[] | undefined;
  /** The keys of the objects among them that were there before: they are never deleted. */
  adopted?: string[] | undefined;
  /** The names of the CustomResourceDefinitions that its contents brought, by the `group/Kind` they define. */
  definitions?: Readonly<Record<string, string>> | undefined;
}

/** The objects that may be deleted: all that it didn't adopt. */
export function deletableIn({ objects, adopted = [] }: Inventory): ObjectRef[] {
  return refsWithout(objects, new Set(adopted));
}

/** How many objects are owned for sure. */
export function ownedIn(inventory: Inventory): number {
  const { length } = deletableIn(inventory);
  return Math.min(inventory.ownedBefore ?? length, length);
}

/** Beyond this the text is compressed: a ConfigMap holds 1 MiB at the most. */
const PLAIN_CHARACTERS_MAX = 100 * 1024;
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

const Stored = z.object({
  version: z.literal(1),
  stack_id: z.string(),
  revision: z.int().optional(),
  deployment: z.object({ objectId: z.string(), sequence: z.int(), checksum: z.string() }),
  is_applied: z.boolean(),
  owned_before: z.int().optional(),
  finished: z.array(z.string()).optional(),
  adopted: z.array(z.string()).optional(),
  definitions: z.record(z.string(), z.string()).optional(),
  objects: z.array(z.tuple([z.string(), z.string(), z.string().nullable(), z.string(), z.string().optional()])),
});

type StoredRef = z.infer<typeof Stored>['objects'][number];

function storedRef({ apiVersion, kind, namespace, name, uid }: OwnedRef): StoredRef {
  const named = [apiVersion, kind, namespace ?? null, name] as const;
  return uid === undefined ? [...named] : [...named, uid];
}

export type InventoryText = { data: { inventory: string } } | { binaryData: { inventory: string } };

export function writeInventory(inventory: Inventory): InventoryText {
  const stored: z.infer<typeof Stored> = {
    version: 1,
    stack_id: inventory.stackId,
    revision: inventory.revision,
    deployment: inventory.deployment,
    is_applied: inventory.isApplied,
    owned_before: inventory.ownedBefore,
    finished: inventory.finished,
    adopted: inventory.adopted,
    definitions: inventory.definitions,
    objects: inventory.objects.map(storedRef),
  };
  const text = JSON.stringify(stored);
  if (text.length <= PLAIN_CHARACTERS_MAX) return { data: { inventory: text } };
  return { binaryData: { inventory: gzipSync(text).toString('base64') } };
}

/** Throws if the text is not an inventory: what a stack owns must be known, never guessed. */
export function readInventory({ data, binaryData }: { data?: unknown; binaryData?: unknown }): Inventory {
  const fields = z.object({ inventory: z.string() });
  const plain = fields.safeParse(data);
  const text = plain.success
    ? plain.data.inventory
    : gunzipSync(Buffer.from(fields.parse(binaryData).inventory, 'base64'), { maxOutputLength: TEXT_BYTES_MAX }).toString();
  const stored = Stored.parse(JSON.parse(text));
  return {
    stackId: stored.stack_id,
    revision: stored.revision,
    deployment: stored.deployment,
    isApplied: stored.is_applied,
    ownedBefore: stored.owned_before,
    finished: stored.finished,
    adopted: stored.adopted,
    definitions: stored.definitions,
    objects: stored.objects.map(([apiVersion, kind, namespace, name, uid]) => ({
      apiVersion,
      kind,
      ...(namespace !== null && { namespace }),
      name,
      ...(uid !== undefined && { uid }),
    })),
  };
}

/** Both, each object once; if both have it, in the version of the second. */
export function union<R extends ObjectRef>(before: readonly R[], after: readonly R[]): R[] {
  return [...new Map([...before, ...after].map((ref) => [objectKey(ref), ref])).values()];
}

export const refsWithout = (objects: readonly ObjectRef[], keys: ReadonlySet<string>): ObjectRef[] =>
  objects.filter((ref) => !keys.has(objectKey(ref)));

export const keysOf = (objects: readonly ObjectRef[]): Set<string> => new Set(objects.map(objectKey));
