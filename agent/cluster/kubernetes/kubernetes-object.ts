import { ClusterError, type LiveObject, type ObjectRef } from '../cluster.ts';
import { isObject } from '../json-object.ts';

/** Checks that an answer is the object that was asked for, and not what something in between made of it. */
export function liveObject(answer: unknown, asked: Pick<ObjectRef, 'apiVersion' | 'kind'> & { name?: string }): LiveObject {
  if (isLive(answer) && (asked.name === undefined || answer.metadata.name === asked.name)) {
    // Only what a dry run would create has none yet.
    answer.metadata.resourceVersion ??= '';
    return answer;
  }
  throw new ClusterError(`the answer is not a ${asked.kind}${asked.name === undefined ? '' : ` ${asked.name}`}`, {
    status: 502,
    reason: 'BadAnswer',
  });
}

const isLive = (answer: unknown): answer is LiveObject =>
  isObject(answer) &&
  typeof answer.apiVersion === 'string' &&
  typeof answer.kind === 'string' &&
  isObject(answer.metadata) &&
  typeof answer.metadata.name === 'string' &&
  typeof answer.metadata.uid === 'string';
