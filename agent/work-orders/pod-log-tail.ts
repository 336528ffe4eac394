import { type JobOutcome, LOG_TAIL_BYTES } from '../../lib/fleet/protocol/work-order-protocol.ts';
import type { Cluster, LiveObject } from '../cluster/cluster.ts';
import { isObject } from '../cluster/json-object.ts';

type Log = Pick<JobOutcome, 'log_tail' | 'log_missing'>;

/** The end of the log of a Job's pod that failed last, or the reason why there is none. */
export async function podLogTail(
  cluster: Cluster,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Log> {
  try {
    const pods = await cluster.list(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace, labelSelector: `batch.kubernetes.io/job-name=${name}`, signal },
    );
    const pod = failedPod(pods);
    if (!pod) return { log_missing: 'the Job has no pod that failed' };
    const container = failedContainer(pod);
    const log = await cluster.podLog({ namespace, name: pod.metadata.name, ...(container !== undefined && { container }) }, signal);
    return log === '' ? { log_missing: `the pod ${pod.metadata.name} wrote nothing` } : { log_tail: endOfText(log, LOG_TAIL_BYTES) };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return { log_missing: `the log could not be read: ${reason}`.slice(0, 1_000) };
  }
}

const byAge = (a: LiveObject, b: LiveObject) => (String(a.metadata.creationTimestamp) < String(b.metadata.creationTimestamp) ? 1 : -1);

const failedPod = (pods: readonly LiveObject[]): LiveObject | undefined =>
  pods.filter(({ status }) => isObject(status) && status.phase === 'Failed').sort(byAge)[0];

/** The container that ended with an error; undefined if none says so: a pod of one container needs no name. */
function failedContainer({ status }: LiveObject): string | undefined {
  if (!isObject(status)) return undefined;
  const all = [status.initContainerStatuses, status.containerStatuses].flatMap((list) => (Array.isArray(list) ? list : []));
  const failed = all.find((one: unknown) => {
    const state = isObject(one) && isObject(one.state) && isObject(one.state.terminated) ? one.state.terminated : undefined;
    return state !== undefined && state.exitCode !== 0;
  });
  return isObject(failed) && typeof failed.name === 'string' ? failed.name : undefined;
}

/** The last bytes of a text, beginning with a whole character. */
export function endOfText(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  let from = all.length - bytes;
  while (from < all.length && ((all[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return all.subarray(from).toString();
}
