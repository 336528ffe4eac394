import type { ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { isImmutable, type ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { isContainer } from '../desired/containers.ts';
import type { Desired } from '../desired/desired.ts';
import { objectOutcome } from '../effects/outcome.ts';
import type { Refusal } from '../effects/refusals.ts';

export const unservedOutcome = (ref: ObjectRef): ObjectOutcome =>
  objectOutcome(ref, { action: 'failed', because: 'kind not served', message: MESSAGES.kindNotThereYet(`${ref.apiVersion} ${ref.kind}`) });

/** The API server's words about what it would not take. */
export const refusalOutcomes = (refusals: readonly Refusal[]): ObjectOutcome[] =>
  refusals.map(({ object, error }) =>
    objectOutcome(object.ref, { action: 'failed', because: 'dry run', message: refusalText(object, error) }),
  );

/** The API server may quote long lists; what to do must not be cut off behind them. */
const REASON_CHARACTERS_MAX = 350;

/** With what to do about a field that can't be changed. */
export const refusalText = ({ ref }: Desired, error: Error): string =>
  isImmutable(error) && !isContainer(ref) ? `${error.message.slice(0, REASON_CHARACTERS_MAX)}; ${MESSAGES.recreateHint()}` : error.message;
