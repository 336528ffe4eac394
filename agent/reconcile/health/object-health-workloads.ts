import type { LiveObject } from '../../cluster/cluster.ts';
import {
  conditionOf,
  conditionsOf,
  count,
  failed,
  fields,
  healthy,
  items,
  type ObjectHealth,
  progressing,
  shortage,
  specOf,
  statusOf,
  text,
  unobserved,
  wordsOf,
} from './object-health-fields.ts';

export function deploymentHealth(live: LiveObject): ObjectHealth {
  const [spec, status] = [specOf(live), statusOf(live)];
  const { replicas, updatedReplicas, availableReplicas } = status;
  const unseen = unobserved(live);
  if (unseen) return unseen;
  // Whoever pauses a Deployment wants its rollout to wait, and nothing it waits for comes by itself.
  if (spec.paused === true) return healthy('paused');
  const rollout = conditionOf(live, 'Progressing');
  if (rollout?.reason === 'ProgressDeadlineExceeded') return failed(wordsOf(rollout));
  const [wanted, updated] = [count(spec.replicas, 1), count(updatedReplicas)];
  const short = shortage([updated, wanted, 'replicas updated']) ?? shortage([count(availableReplicas), wanted, 'replicas available']);
  if (short) return withCause(live, short);
  return count(replicas) > updated ? progressing(`${count(replicas) - updated} old replicas have not gone yet`) : healthy();
}

/** Pods that can't even be created (a quota, a denying webhook) are reported in a condition of their own. */
function withCause(live: LiveObject, health: ObjectHealth): ObjectHealth {
  const failure = conditionOf(live, 'ReplicaFailure');
  return failure?.status === 'True' ? { ...health, message: `${health.message}: ${wordsOf(failure)}` } : health;
}

export function statefulSetHealth(live: LiveObject): ObjectHealth {
  const [spec, status] = [specOf(live), statusOf(live)];
  const unseen = unobserved(live);
  if (unseen) return unseen;
  const strategy = fields(spec.updateStrategy);
  const wanted = count(spec.replicas, 1);
  const short = shortage(
    [count(status.readyReplicas), wanted, 'replicas ready'],
    [count(status.availableReplicas, wanted), wanted, 'replicas available'],
  );
  if (short) return short;
  // The update is someone else's: its pods are replaced when they are deleted.
  if (strategy.type === 'OnDelete') return healthy('updates when its pods are deleted');
  const partition = count(fields(strategy.rollingUpdate).partition);
  if (partition > 0)
    return (
      shortage([count(status.updatedReplicas), Math.max(0, wanted - partition), 'replicas updated']) ??
      healthy(`updated down to partition ${partition}`)
    );
  if (count(status.replicas) > wanted) return progressing(`${count(status.replicas) - wanted} replicas too many`);
  if (text(status.updateRevision) === text(status.currentRevision)) return healthy();
  return shortage([count(status.updatedReplicas), wanted, 'replicas updated']) ?? progressing('its new revision is not complete yet');
}

export function daemonSetHealth(live: LiveObject): ObjectHealth {
  const status = statusOf(live);
  const unseen = unobserved(live);
  if (unseen) return unseen;
  const wanted = count(status.desiredNumberScheduled);
  const isOnDelete = fields(specOf(live).updateStrategy).type === 'OnDelete';
  return (
    shortage(
      [count(status.currentNumberScheduled), wanted, 'pods scheduled'],
      [isOnDelete ? wanted : count(status.updatedNumberScheduled), wanted, 'pods updated'],
      [count(status.numberAvailable), wanted, 'pods available'],
    ) ?? healthy()
  );
}

/** ReplicaSets and ReplicationControllers. */
export function replicaSetHealth(live: LiveObject): ObjectHealth {
  const [spec, status] = [specOf(live), statusOf(live)];
  const unseen = unobserved(live);
  if (unseen) return unseen;
  const wanted = count(spec.replicas, 1);
  const short = shortage(
    [count(status.replicas), wanted, 'replicas created'],
    [count(status.availableReplicas), wanted, 'replicas available'],
  );
  if (short) return withCause(live, short);
  return count(status.replicas) > wanted ? progressing(`${count(status.replicas) - wanted} replicas too many`) : healthy();
}

export function jobHealth(live: LiveObject): ObjectHealth {
  const over = conditionsOf(live).filter(({ status }) => status === 'True');
  const failure = over.find(({ type }) => type === 'Failed' || type === 'FailureTarget');
  if (failure) return failed(wordsOf(failure));
  if (over.some(({ type }) => type === 'Complete')) return healthy();
  // It waits for someone to start it, and nothing else would.
  if (specOf(live).suspend === true) return healthy('suspended');
  const { active, succeeded, failed: attempts } = statusOf(live);
  return progressing(`${count(active)} active, ${count(succeeded)} succeeded, ${count(attempts)} failed`);
}

export const cronJobHealth = (live: LiveObject): ObjectHealth => (specOf(live).suspend === true ? healthy('suspended') : healthy());

/** The kubelet tries these again for ever, but only a change of the pod, or of what it pulls and needs, helps. */
const HOPELESS = new Set(['CrashLoopBackOff', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']);

export function podHealth(live: LiveObject): ObjectHealth {
  const { phase, reason, message, containerStatuses, initContainerStatuses } = statusOf(live);
  if (phase === 'Succeeded') return healthy();
  const waiting = [...items(initContainerStatuses), ...items(containerStatuses)]
    .map(
      ({ name, state }) =>
        ({ name: text(name), ...fields(fields(state).waiting) }) as { name: string; reason?: unknown; message?: unknown },
    )
    .filter((container) => text(container.reason) !== '');
  const describe = (container: (typeof waiting)[number]) =>
    `container ${container.name}: ${[text(container.reason), text(container.message)].filter(Boolean).join(': ')}`;
  if (phase === 'Failed')
    return failed(
      [text(reason), text(message)].filter(Boolean).join(': ') || failedContainers(containerStatuses) || 'its containers failed',
    );
  const hopeless = waiting.find((container) => HOPELESS.has(text(container.reason)));
  if (hopeless) return failed(describe(hopeless));
  if (phase === 'Unknown') return { status: 'unknown', message: 'its node does not answer' };
  const ready = conditionOf(live, 'Ready');
  if (phase === 'Running' && ready?.status === 'True') return healthy();
  const scheduled = conditionOf(live, 'PodScheduled');
  if (scheduled?.status === 'False') return progressing(wordsOf(scheduled));
  const first = waiting.find((container) => container.reason !== 'PodInitializing') ?? waiting[0];
  return progressing(first ? describe(first) : ready ? wordsOf(ready) : 'it has not been scheduled yet');
}

const failedContainers = (containerStatuses: unknown): string =>
  items(containerStatuses)
    .map(
      ({ name, state }) =>
        ({ name: text(name), ...fields(fields(state).terminated) }) as { name: string; exitCode?: unknown; reason?: unknown },
    )
    .filter(({ exitCode }) => count(exitCode) !== 0)
    .map(({ name, exitCode, reason }) => `container ${name}: ${text(reason) || 'Error'} (exit code ${count(exitCode)})`)
    .join(', ');
