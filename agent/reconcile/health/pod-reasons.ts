import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { ClusterError, groupOf, type LiveObject } from '../../cluster/cluster.ts';
import { withoutValuesOf } from '../../cluster/object-values.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectKey } from '../desired/object-key.ts';
import { retrying } from '../effects/cluster-effects.ts';
import { type Outcome, objectOutcome, refIn } from '../effects/outcome.ts';
import type { Looking } from '../plan/observe.ts';
import { conditionOf, fields, items, specOf, statusOf, text } from './object-health-fields.ts';

/** Of so many workloads of a stack the pods are read, with one list each, when the stack is not healthy in time. */
const WORKLOADS_MAX = 10;
/** A container says these while nothing is wrong yet. */
const STARTING = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** The outcome with the reasons of the pods in front of what their workloads say: an image, a node, a crash. */
export async function withPodReasons(effects: Looking, outcome: Outcome, live: ReadonlyMap<string, LiveObject>): Promise<Outcome> {
  const reasons = new Map<ObjectOutcome, string>();
  const unwell = outcome.objects.filter(({ health }) => health === 'failed' || health === 'progressing');
  for (const object of unwell.filter(({ kind, api_version }) => isWorkload(api_version, kind)).slice(0, WORKLOADS_MAX)) {
    const workload = live.get(objectKey(refIn(object)));
    const reason = workload && (await reasonOf(effects, workload));
    if (reason) reasons.set(object, reason);
  }
  const objects = outcome.objects.map((object) => {
    const reason = reasons.get(object);
    if (reason === undefined) return object;
    const { action, because, health, message } = object;
    const told = [reason, message].filter((words) => words !== undefined).join('; ');
    return objectOutcome(refIn(object), { action, message: told, ...(because && { because }), ...(health && { health }) });
  });
  return { ...outcome, objects };
}

const isWorkload = (apiVersion: string, kind: string): boolean =>
  groupOf(apiVersion) === 'apps' || (groupOf(apiVersion) === 'batch' && kind === 'Job') || (apiVersion === 'v1' && kind === 'Pod');

/** None if the agent may not list pods, or if they say nothing. */
async function reasonOf(effects: Looking, workload: LiveObject): Promise<string | undefined> {
  try {
    const pods = workload.kind === 'Pod' ? [workload] : await podsOf(effects, workload);
    const waiting = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status !== 'True');
    const newestFirst = waiting.sort((a, b) => (created(a) < created(b) ? 1 : -1));
    const masked = (words: string) => withoutValuesOf(words, workload);
    return newestFirst.map((pod) => podReason(pod, masked)).find((reason) => reason !== undefined);
  } catch (error) {
    if (error instanceof ClusterError) return undefined;
    throw error;
  }
}

function podsOf(effects: Looking, { metadata: { namespace }, ...workload }: LiveObject): Promise<LiveObject[]> {
  const labels = Object.entries(fields(fields(workload.spec).selector).matchLabels ?? {});
  if (labels.length === 0 || namespace === undefined) return Promise.resolve([]);
  const labelSelector = labels.map(([name, value]) => `${name}=${value}`).join(',');
  return retrying(effects, () =>
    effects.cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector, signal: effects.stop }),
  );
}

const created = ({ metadata }: LiveObject): string => text(metadata.creationTimestamp);

/** Reasons are words that Kubernetes itself defines; what it says beside them may quote anything. */
function podReason(pod: LiveObject, masked: (words: string) => string): string | undefined {
  const status = statusOf(pod);
  const { name } = pod.metadata;
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return MESSAGES.podWaits(scheduled.reason, masked(scheduled.message), name);
  if (status.phase === 'Failed' && text(status.reason) !== '')
    return MESSAGES.podWaits(text(status.reason), masked(text(status.message)), name);
  const containers = [...items(status.initContainerStatuses), ...items(status.containerStatuses)];
  const told = containers.map((container) => containerReason(container, name, masked)).find((reason) => reason !== undefined);
  if (told !== undefined) return told;
  const running = items(status.containerStatuses).find(({ ready, state }) => ready === false && fields(state).running !== undefined);
  const probed = running && items(specOf(pod).containers).find((container) => container.name === running.name);
  return probed?.readinessProbe ? MESSAGES.notReady(text(running?.name), name) : undefined;
}

function containerReason(
  { name, state, lastState }: Record<string, unknown>,
  pod: string,
  masked: (words: string) => string,
): string | undefined {
  const waiting = fields(fields(state).waiting);
  const ended = fields(fields(state).terminated);
  const reason = text(waiting.reason);
  const where = `${pod}, container ${text(name)}`;
  if (!STARTING.has(reason)) {
    const before = fields(fields(lastState).terminated);
    const message = reason === 'CrashLoopBackOff' && before.exitCode !== undefined ? exitText(before) : masked(text(waiting.message));
    return MESSAGES.podWaits(reason, message, where);
  }
  return typeof ended.exitCode === 'number' && ended.exitCode !== 0
    ? MESSAGES.podWaits(text(ended.reason), exitText(ended), where)
    : undefined;
}

const exitText = ({ reason, exitCode }: Record<string, unknown>): string => MESSAGES.exited(Number(exitCode), text(reason));
