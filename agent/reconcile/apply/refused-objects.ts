import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { Refusal } from '../effects/refusals.ts';

export const unservedOutcome = (ref: ObjectRef): ObjectOutcome =>
  objectOutcome(ref, { action: 'failed', because: 'kind not served', message: MESSAGES.kindNotThereYet(`${ref.apiVersion} ${ref.kind}`) });

/** The API server's words about what it would not take. */
export const refusalOutcomes = (refusals: readonly Refusal[]): ObjectOutcome[] =>
  refusals.map(({ object, error }) => objectOutcome(object.ref, { action: 'failed', because: 'dry run', message: error.message }));
