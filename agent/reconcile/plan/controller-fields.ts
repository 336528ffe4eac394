import { ClusterError, groupOf, isUnserved, type LiveObject, type Manifest } from '../../cluster/cluster.ts';
import { isObject } from '../../cluster/json-object.ts';
import { pointerPath, valueAt, withValueAt } from '../../cluster/json-pointer.ts';
import { inParallel } from '../../in-parallel.ts';
import { MESSAGES } from '../../operator-messages.ts';
import type { Desired } from '../desired/desired.ts';
import { ManifestError } from '../desired/manifests.ts';
import { objectText } from '../desired/object-key.ts';
import { FIELD_MANAGER, USER_ANNOTATION } from '../desired/ownership.ts';
import { retrying } from '../effects/cluster-effects.ts';
import type { Looking } from './observe.ts';

type Path = readonly string[];

const LOOKS_AT_ONCE = 8;

const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
const REPLICAS: Path = ['spec', 'replicas'];
const REVISION: Path = ['metadata', 'annotations', 'deployment.kubernetes.io/revision'];
/** What an object is, which no annotation can leave to others. */
const IDENTITY = new Set([
  '/apiVersion',
  '/kind',
  '/metadata',
  '/metadata/name',
  '/metadata/namespace',
  '/metadata/labels',
  '/metadata/annotations',
]);

/**
 * Leaves to the cluster's controllers what is theirs, at the first apply, at changes and in looks for drift alike: `replicas` where an autoscaler
 * targets the object, the `rules` of an aggregated role, empty `caBundle`s, the revision of a Deployment; and what `brokkr.io/ignore-fields` names.
 * Such a field is not applied. One that nobody but this agent owns is applied as it is in the cluster, since the API server takes a field away
 * when its last owner gives it up. Costs one list of autoscalers for each namespace with `replicas`, and a look at each object with such a field.
 */
export async function leaveToControllers(
  effects: Looking,
  objects: readonly Desired[],
  stackAnnotations: Readonly<Record<string, string>>,
): Promise<Desired[]> {
  const ofStack = ignoredPaths(stackAnnotations, 'the stack');
  const autoscaled = await autoscaledObjects(effects, objects);
  return inParallel(objects, LOOKS_AT_ONCE, async (object) => {
    const { manifest, ref } = object;
    const own = ignoredPaths(manifest.metadata.annotations ?? {}, objectText(ref));
    const left = [...controllersPaths(manifest, autoscaled.has(targetText(ref))), ...ofStack, ...own];
    const paths = left.filter((path) => valueAt(manifest, path) !== undefined);
    if (paths.length === 0) return { ...object, left };
    const live = await retrying(effects, () => effects.cluster.find(ref, effects.stop)).catch((error: unknown) => {
      if (isUnserved(error)) return undefined;
      throw error;
    });
    return { ...object, left, manifest: paths.reduce((left, path) => leftTo(left, path, live), manifest) };
  });
}

const leftTo = (manifest: Manifest, path: Path, live: LiveObject | undefined): Manifest =>
  withValueAt(manifest, path, live && isOursAlone(live, path) ? valueAt(live, path) : undefined);

function ignoredPaths(annotations: Readonly<Record<string, string>>, where: string): Path[] {
  const pointers = (annotations[USER_ANNOTATION.ignoreFields] ?? '').split(/[\s,]+/).filter((pointer) => pointer !== '');
  return pointers.map((pointer) => {
    const path = pointerPath(pointer);
    if (!path || IDENTITY.has(pointer)) throw new ManifestError(`${where}: ${MESSAGES.notIgnorable(pointer)}`);
    return path;
  });
}

function controllersPaths(manifest: Manifest, isAutoscaled: boolean): Path[] {
  const paths: Path[] = [REVISION];
  if (isAutoscaled) paths.push(REPLICAS);
  if (manifest.kind === 'ClusterRole' && isObject(manifest.aggregationRule)) paths.push(['rules']);
  return [...paths, ...bundlePaths(manifest).filter((path) => !valueAt(manifest, path))];
}

/** Where a `caBundle` may stand that is injected if it is empty. */
function bundlePaths({ apiVersion, kind, webhooks }: Manifest): Path[] {
  const bundle = (...path: string[]): Path => [...path, 'caBundle'];
  switch (groupOf(apiVersion)) {
    case 'admissionregistration.k8s.io':
      return Array.isArray(webhooks) ? webhooks.map((_, n) => bundle('webhooks', String(n), 'clientConfig')) : [];
    case 'apiextensions.k8s.io':
      return [bundle('spec', 'conversion', 'webhook', 'clientConfig')];
    case 'apiregistration.k8s.io':
      return kind === 'APIService' ? [bundle('spec')] : [];
    default:
      return [];
  }
}

/** `group kind namespace name` of what an autoscaler targets. */
const targetText = ({ apiVersion, kind, namespace = '', name }: { apiVersion: string; kind: string; namespace?: string; name: string }) =>
  `${groupOf(apiVersion)} ${kind} ${namespace} ${name}`;

/** What the autoscalers of the stack, and those in the namespaces of its objects, target. */
async function autoscaledObjects(effects: Looking, objects: readonly Desired[]): Promise<Set<string>> {
  const own = objects.filter(({ ref }) => ref.kind === AUTOSCALER.kind).map(({ manifest }) => manifest);
  const namespaces = new Set(
    objects.filter(({ manifest }) => valueAt(manifest, REPLICAS) !== undefined).flatMap(({ ref: { namespace } }) => namespace ?? []),
  );
  const there = await inParallel([...namespaces], LOOKS_AT_ONCE, (namespace) => autoscalersIn(effects, namespace));
  return new Set([...own, ...there.flat()].flatMap(targetOf));
}

function targetOf({ metadata: { namespace = '' }, spec }: Manifest): string[] {
  const target = isObject(spec) ? spec.scaleTargetRef : undefined;
  if (!isObject(target)) return [];
  return [targetText({ apiVersion: String(target.apiVersion), kind: String(target.kind), namespace, name: String(target.name) })];
}

/** None where the agent may not look, or where there is no such kind. */
async function autoscalersIn(effects: Looking, namespace: string): Promise<Manifest[]> {
  try {
    return await retrying(effects, () => effects.cluster.list(AUTOSCALER, { namespace, signal: effects.stop }));
  } catch (error) {
    if (error instanceof ClusterError && !error.retryable) return [];
    throw error;
  }
}

/** Whether this agent, by its applies, is the only one that owns a field. Fields inside of lists are taken for somebody else's. */
function isOursAlone({ metadata: { managedFields } }: LiveObject, path: Path): boolean {
  const keys = path.map((name) => `f:${name}`);
  const owners = (Array.isArray(managedFields) ? managedFields : [])
    .filter(isObject)
    .filter(({ fieldsV1 }) => valueAt(fieldsV1, keys) !== undefined)
    .map(({ manager }) => manager);
  return owners.length > 0 && owners.every((manager) => manager === FIELD_MANAGER);
}
