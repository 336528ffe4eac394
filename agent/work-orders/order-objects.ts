import { createHash } from 'node:crypto';
import { type Cluster, groupOf, type Manifest, type ObjectRef } from '../cluster/cluster.ts';
import { isObject } from '../cluster/json-object.ts';
import { MESSAGES } from '../operator-messages.ts';
import { definedKinds } from '../reconcile/desired/desired.ts';
import { ManifestError } from '../reconcile/desired/manifests.ts';
import { objectText, refOf } from '../reconcile/desired/object-key.ts';
import { OWNER_KEY, STACK_KEY } from '../reconcile/desired/ownership.ts';
import { withEncodedStringData } from '../reconcile/desired/secret-data.ts';

/** What an order creates is found by these labels. They say nothing to the reconciler: an order's objects belong to no stack. */
export const ORDER_LABEL = 'brokkr.io/work-order-id';
export const ATTEMPT_LABEL = 'brokkr.io/work-order-attempt';
/** The name that a Job has in the order's YAML. */
export const JOB_LABEL = 'brokkr.io/work-order-job';
/** `always`: the object is deleted when the order ends · `on-success`: when it has succeeded · otherwise it stays. */
export const CLEANUP_ANNOTATION = 'brokkr.io/cleanup';

export type Cleanup = 'always' | 'on-success' | 'never';

/** One object of an order, ready to be applied. */
export interface OrderObject {
  ref: ObjectRef;
  manifest: Manifest;
  cleanup: Cleanup;
  /** Set if the order waits for its end. `job` is its name in the YAML. */
  watched?: { kind: 'Job' | 'BuildRun'; job: string };
}

export interface OrderFacts {
  id: string;
  attempt: number;
  /** The time that Jobs have, in seconds. */
  budgetSeconds: number;
  defaultNamespace: string;
  /** Whether an object is the agent's own bookkeeping, which no order may write. */
  isReserved: (ref: ObjectRef) => boolean;
}

export const isJob = ({ apiVersion, kind }: { apiVersion: string; kind: string }): boolean =>
  groupOf(apiVersion) === 'batch' && kind === 'Job';
const isBuildRun = ({ apiVersion, kind }: { apiVersion: string; kind: string }): boolean =>
  groupOf(apiVersion) === 'shipwright.io' && kind === 'BuildRun';

const NAME_MAX = 63;
/** A finished Job is kept for so long, unless it says otherwise: the next attempt may have to look at it. */
const JOB_TTL_SECONDS = 3_600;
/** No Job goes sooner: the agent has to see how it ended, also one that takes over from an agent that died. */
const JOB_TTL_MIN_SECONDS = 300;

/**
 * The name of an attempt's Job or BuildRun: that of the YAML, the last eight digits of the order's id, and the attempt. So no two attempts and no
 * two orders share a name, and whoever sees the Job knows where it comes from.
 */
export function attemptName(name: string, { id, attempt }: Pick<OrderFacts, 'id' | 'attempt'>): string {
  const suffix = `-${id.slice(-8)}-a${attempt}`;
  return `${shortened(name, NAME_MAX - suffix.length)}${suffix}`;
}
export const jobLabelOf = (name: string): string => shortened(name, NAME_MAX);

/** A name of at most so many characters. One that is cut ends with a part of its hash, so that two long names stay two. */
function shortened(name: string, characters: number): string {
  if (name.length <= characters) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return `${name.slice(0, characters - hash.length - 1).replace(/[-.]+$/, '')}-${hash}`;
}

/** Places an order's manifests: namespace, labels, and for Jobs the name of this attempt and its limits. Rejects with a ManifestError. */
export async function orderObjects(
  cluster: Cluster,
  manifests: readonly Manifest[],
  facts: OrderFacts,
  signal: AbortSignal,
): Promise<OrderObject[]> {
  const objects: OrderObject[] = [];
  const seen = new Set<string>();
  const own = definedKinds(manifests);
  for (const manifest of manifests) {
    const kind = await cluster.findKind(manifest.apiVersion, manifest.kind, { signal });
    const scope = own.get(`${groupOf(manifest.apiVersion)} ${manifest.kind}`);
    if (!kind && scope === undefined)
      throw new ManifestError(`${objectText(refOf(manifest))}: ${MESSAGES.noSuchKind(`${manifest.apiVersion} ${manifest.kind}`)}`);
    const namespaced = kind ? kind.namespaced : scope === 'namespaced';
    const object = placed(manifest, namespaced ? (manifest.metadata.namespace ?? facts.defaultNamespace) : undefined, facts);
    if (facts.isReserved(object.ref)) throw new ManifestError(`${objectText(object.ref)}: ${MESSAGES.reservedName()}`);
    if (seen.has(objectText(object.ref))) throw new ManifestError(`${objectText(object.ref)}: ${MESSAGES.twiceInOrder()}`);
    seen.add(objectText(object.ref));
    objects.push(object);
  }
  return objects;
}

/** The marks by which the reconciler knows its objects. An order that wrote them would put its objects into a stack. */
function refuseMarks({ metadata: { labels = {}, annotations = {} } }: Manifest, ref: ObjectRef): void {
  const mark = [STACK_KEY, OWNER_KEY].find((key) => key in labels || key in annotations);
  if (mark !== undefined) throw new ManifestError(`${objectText(ref)}: ${MESSAGES.markOfStacks(mark)}`);
}

function placed(manifest: Manifest, namespace: string | undefined, facts: OrderFacts): OrderObject {
  refuseMarks(manifest, refOf(manifest));
  const { name, namespace: _own, labels, annotations, ...metadata } = manifest.metadata;
  const watched = isJob(manifest) ? 'Job' : isBuildRun(manifest) ? 'BuildRun' : undefined;
  const marked: Manifest = {
    ...withEncodedStringData(manifest),
    metadata: {
      ...metadata,
      name: watched ? attemptName(name, facts) : name,
      ...(namespace !== undefined && { namespace }),
      labels: {
        ...labels,
        [ORDER_LABEL]: facts.id,
        ...(watched && { [ATTEMPT_LABEL]: String(facts.attempt), [JOB_LABEL]: jobLabelOf(name) }),
      },
      ...(annotations && { annotations }),
    },
  };
  const final = watched === 'Job' ? withLimits(marked, facts.budgetSeconds) : marked;
  return {
    ref: refOf(final),
    manifest: final,
    cleanup: cleanupOf(annotations?.[CLEANUP_ANNOTATION]),
    ...(watched && { watched: { kind: watched, job: name } }),
  };
}

const cleanupOf = (text: string | undefined): Cleanup => (text === 'always' || text === 'on-success' ? text : 'never');

/** A Job never runs longer than its order, and goes some time after its end. */
function withLimits(manifest: Manifest, budgetSeconds: number): Manifest {
  const spec = isObject(manifest.spec) ? manifest.spec : {};
  const own = typeof spec.activeDeadlineSeconds === 'number' ? spec.activeDeadlineSeconds : Number.POSITIVE_INFINITY;
  const ttl = typeof spec.ttlSecondsAfterFinished === 'number' ? spec.ttlSecondsAfterFinished : JOB_TTL_SECONDS;
  return {
    ...manifest,
    spec: {
      ...spec,
      ttlSecondsAfterFinished: Math.max(JOB_TTL_MIN_SECONDS, ttl),
      activeDeadlineSeconds: Math.max(1, Math.min(own, budgetSeconds)),
    },
  };
}
