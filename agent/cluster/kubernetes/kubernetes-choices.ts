import { ClusterError, groupOf, type Manifest, type ObjectRef } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { takeFields } from './kubernetes-take-fields.ts';
import type { KubernetesTransport } from './kubernetes-transport.ts';

/**
 * Fields of which only one may be set, such as the parameters of a Deployment's strategy. The API server fills one in by default, and nobody owns it:
 * server-side apply then can't take it away when the stack chooses another one, and is refused. A strategic merge patch can, by `$retainKeys`,
 * which is how `kubectl apply` does it.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md#retainkeys-strategy
 */
const CHOICES: Readonly<Record<string, string>> = { Deployment: 'strategy', StatefulSet: 'updateStrategy', DaemonSet: 'updateStrategy' };
const IS_ABOUT_A_CHOICE = /\bspec\.(?:strategy|updateStrategy)\b|\.volumes\[/;
const MANAGER = 'brokkr-choices';

interface ChoicePorts {
  transport: KubernetesTransport;
  path: string;
  ref: ObjectRef;
  signal: AbortSignal | undefined;
}

/** Whether a refusal may be about a choice that the API server made itself. */
export const isAboutChoice = (error: unknown, manifest: Manifest): boolean =>
  error instanceof ClusterError &&
  error.status === 422 &&
  IS_ABOUT_A_CHOICE.test(error.message) &&
  (groupOf(manifest.apiVersion) === '' || /^(?:apps|batch)$/.test(groupOf(manifest.apiVersion)));

/** The whole object with its choices, judged by a dry run: one request can't both choose and apply. */
export const judgeChoices = ({ transport, path, signal }: ChoicePorts, manifest: Manifest): Promise<unknown> =>
  patch(transport, `${path}?fieldManager=${MANAGER}&dryRun=All`, withChoices(manifest), signal);

/** Makes the choices of the manifest and nothing else, applies it, and gives up what the first request owns. */
export async function applyChoices(
  { transport, path, ref, signal }: ChoicePorts,
  manifest: Manifest,
  fieldManager: string,
  apply: () => Promise<unknown>,
) {
  const { apiVersion, kind, metadata, spec } = withChoices(manifest);
  const { uid, resourceVersion } = metadata;
  const pin = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
  await patch(transport, `${path}?fieldManager=${MANAGER}`, { apiVersion, kind, metadata: pin, spec: onlyChoices(kind, spec) }, signal);
  const answer = await apply();
  const live = isObject(answer) && isObject(answer.metadata) ? String(answer.metadata.uid) : '';
  await takeFields(transport, path, ref, { uid: live, from: [MANAGER], fields: 'shared', fieldManager, ...(signal && { signal }) });
  return answer;
}

const patch = (transport: KubernetesTransport, path: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> =>
  transport.send({ method: 'PATCH', path, body, contentType: 'application/strategic-merge-patch+json', signal });

/** The path of the pod's specification in an object, by its kind. */
function podPath(kind: string): readonly string[] {
  if (kind === 'Pod') return ['spec'];
  return kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template', 'spec'] : ['spec', 'template', 'spec'];
}

function withChoices(manifest: Manifest): Manifest {
  const choice = CHOICES[manifest.kind];
  const chosen = choice === undefined ? manifest : changed(manifest, ['spec', choice], retaining);
  return changed(chosen, [...podPath(manifest.kind), 'volumes'], (volumes) => (Array.isArray(volumes) ? volumes.map(retaining) : volumes));
}

/** The specification without all that is not a choice. */
function onlyChoices(kind: string, spec: unknown): Record<string, unknown> {
  const choice = CHOICES[kind];
  const choices: Record<string, unknown> = {};
  if (isObject(spec) && choice !== undefined && isObject(spec[choice])) choices[choice] = spec[choice];
  const [, ...below] = podPath(kind);
  const volumes = [...below, 'volumes'].reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), spec);
  if (volumes === undefined) return choices;
  return { ...choices, ...below.reduceRight<Record<string, unknown>>((inner, name) => ({ [name]: inner }), { volumes }) };
}

/** With the directive that all other members go. */
function retaining(value: unknown): unknown {
  if (!isObject(value)) return value;
  const set = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  return { ...set, $retainKeys: Object.keys(set) };
}

function changed<T>(value: T, [name, ...rest]: readonly string[], change: (value: unknown) => unknown): T {
  if (name === undefined) return change(value) as T;
  if (!isObject(value) || !Object.hasOwn(value, name)) return value;
  return { ...value, [name]: changed(value[name], rest, change) };
}
