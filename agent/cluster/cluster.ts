/**
 * The agent's port to a cluster. Two implementations stand under one contract test: the Kubernetes API, and one in memory
 * for tests and for trying the product without a cluster.
 */

import type { FieldSet } from './field-sets.ts';

/** An object as written in YAML: raw JSON, since typed models drop the fields they do not know. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** An object as the API server holds it. Of one that a dry run would create, the uid is made up and the resource version is empty. */
export interface LiveObject extends Manifest {
  metadata: Manifest['metadata'] & {
    uid: string;
    resourceVersion: string;
    generation?: number;
    deletionTimestamp?: string;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  };
}

/** Names one object. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** A kind the API server serves, as its discovery says. */
export interface ResourceKind {
  apiVersion: string;
  kind: string;
  /** The plural name in URLs. */
  plural: string;
  namespaced: boolean;
  /** Its status is written by way of a path of its own, so that only changes of the wish move its generation. Unknown if absent. */
  hasStatus?: boolean;
}

/** Empty for the core group. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/', 1)[0] ?? '') : '');

export interface ApplyOptions {
  fieldManager: string;
  /** Takes over fields that other managers own; without it such an apply fails with reason Conflict. */
  force: boolean;
  /** Validates and admits on the server, stores nothing, and returns what would have been stored. */
  dryRun?: boolean;
  /**
   * Only if there is no such object, or only if it still is the very object, in the very state, that was seen. Else it fails with
   * reason CHANGED and changes nothing.
   */
  onto?: 'absent' | { uid: string; resourceVersion?: string };
  signal?: AbortSignal;
}

export interface DeleteOptions {
  /** Deletes only this very object: one of the same name created since is left alone (reason Conflict). */
  uid?: string;
  signal?: AbortSignal;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  signal?: AbortSignal;
}

export interface DisownOptions {
  /** Only this very object. */
  uid: string;
  labels: readonly string[];
  annotations: readonly string[];
  fieldManager: string;
  signal?: AbortSignal;
}

export interface TakeFieldsOptions {
  /** Only this very object. */
  uid: string;
  /** Only in this very state; else it fails with reason CHANGED. */
  resourceVersion?: string;
  /** The managers that give fields up. */
  from: readonly string[];
  /** Those that `fieldManager` has applied too, or these. */
  fields: 'shared' | FieldSet;
  fieldManager: string;
  signal?: AbortSignal;
}

/** All that is in a namespace, or the objects of a kind, in one namespace or in all. */
export type MetadataOf = { namespace: string } | (Pick<ResourceKind, 'apiVersion' | 'kind'> & { namespace?: string | undefined });

export interface Cluster {
  /** Asks for the API server's version. Rejects with a ClusterError if it can't be reached. */
  version(signal?: AbortSignal): Promise<string>;
  /**
   * Looks a kind up in discovery, which is cached; a kind not in the cache is looked for afresh, at most once a second, and `fresh`
   * always does. Undefined if the server doesn't serve it (a CRD that isn't established, a typo). A CRD's kind can be missing for
   * some milliseconds after it is established. Rejects with a retryable 503 if an extension's own server, which would know, is away.
   */
  findKind(apiVersion: string, kind: string, options?: { fresh?: boolean; signal?: AbortSignal }): Promise<ResourceKind | undefined>;
  /**
   * Undefined if it doesn't exist. Like `list` and `delete` it takes another version of the kind if the asked one is no longer served,
   * and rejects with reason UNSERVED if none is: nothing is known of the objects of a kind that is not served.
   */
  find(ref: ObjectRef, signal?: AbortSignal): Promise<LiveObject | undefined>;
  /** All pages of a kind, in one namespace or in all. */
  list(kind: Pick<ResourceKind, 'apiVersion' | 'kind'>, options?: ListOptions): Promise<LiveObject[]>;
  /**
   * The metadata of these objects. Of all that is in a namespace, kinds that this agent may not list are left out; a kind that is asked
   * for by its name and that it may not list rejects.
   */
  listMetadata(of: MetadataOf, signal?: AbortSignal): Promise<LiveObject[]>;
  /**
   * Server-side apply of exactly this JSON. Returns what is (or with `dryRun` would be) stored. What does not fit its schema, an
   * unknown field included, fails with reason Invalid; an unknown kind or a missing namespace, also in a dry run, with NotFound.
   * On an object that is being deleted it may take away the last finalizer, and then returns what was there.
   */
  apply(manifest: Manifest, options: ApplyOptions): Promise<LiveObject>;
  /**
   * Background propagation: what the object owns goes after it. `gone` if there was nothing; `deleting` while finalizers hold it
   * (a namespace: until it is empty; a pod: until it has stopped).
   */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<'deleted' | 'deleting' | 'gone'>;
  /** Takes labels and annotations off an object, and a manager's ownership of its fields. The fields themselves stay. */
  disown(ref: ObjectRef, options: DisownOptions): Promise<'disowned' | 'gone'>;
  /**
   * Makes a manager the owner of fields in place of other managers: a field that it applies no more then goes. What else the others own stays
   * theirs. Does nothing to another object of the same name. Returns the resource version after that, undefined if there was nothing to take.
   */
  takeFields(ref: ObjectRef, options: TakeFieldsOptions): Promise<string | undefined>;
  /** The last lines of a container's log, a MiB at the most. Rejects with a ClusterError that says why there is none. */
  podLog(pod: { namespace: string; name: string; container?: string }, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** The reason of an error about an object that is not, or no longer, the one that was to be changed. */
export const CHANGED = 'Changed';

export const isChanged = (error: unknown): error is ClusterError => error instanceof ClusterError && error.reason === CHANGED;

/** The reason of an error about a field that never changes: the object would have to be deleted and created again. */
export const IMMUTABLE = 'Immutable';

export const isImmutable = (error: unknown): error is ClusterError => error instanceof ClusterError && error.reason === IMMUTABLE;

/** The reason of an error about a kind that the API server serves in no version, or about a path that it doesn't know. */
export const UNSERVED = 'Unserved';

export const isUnserved = (error: unknown): error is ClusterError => error instanceof ClusterError && error.reason === UNSERVED;

/** The reason of a list that has more objects than an agent can hold. */
export const TOO_MANY = 'TooLarge';

/** A failed call to the cluster. `status` is HTTP's, 0 if no answer came; `reason` is the Status object's. */
export class ClusterError extends Error {
  override name = 'ClusterError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { status: number; reason: string; retryAfterMs?: number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
  }
  /** Whether the same call may succeed later without anyone changing anything. */
  get retryable(): boolean {
    // A 409 is worth a retry only if it is a race, not if another manager owns a field or a precondition named another uid.
    if (this.status === 409) return this.reason === 'Conflict' && !/conflict with|precondition/i.test(this.message);
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
