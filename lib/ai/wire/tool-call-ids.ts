import { createHash } from 'node:crypto';

/**
 * An id of a tool call as a provider takes it. An id that matches passes as it is. Any other becomes a digest of itself: the same in every
 * turn and at both ends of the pair, without anything to remember, and different for different ids.
 */
export const toolCallIdFor = (id: string, accepted: RegExp): string =>
  accepted.test(id) ? id : `call_${createHash('sha256').update(id).digest('hex').slice(0, 40)}`;
