import * as z from 'zod';
import { fleetError } from '../fleet-errors.ts';

export { Agent } from '../protocol/agent-protocol.ts';

/** Only an agent with exactly this status is given anything to do. */
export const ACTIVE = 'ACTIVE';
export const INITIAL_STATUS = 'INACTIVE';

/** The fields of an agent's record that are not on the wire. */
export const AgentRecordFields = {
  /** Moves with everything that may change what the agent should run. */
  revision: z.string(),
  /** Must equal the credential's version, so that a key is revoked at once. */
  credential_version: z.int(),
  target_count: z.int().default(0),
  /** The optimistic lock of renames and removals. Heartbeats and revisions don't change it. */
  version: z.int(),
};

/**
 * A label or annotation has one edge for each registration, and a registration has one edge for each label and annotation. One
 * transaction writes these edges, and it has at most 100 writes. `selectors` limits labels and annotations together.
 */
export const LIMITS = { selectors: 88, targets: 5_000, registrations: 88 } as const;

/** A status as the OpenAPI document describes it; see DescribedName. */
export const DescribedStatus = z.string().meta({ minLength: 1, maxLength: 50, pattern: '\\S' });

/** A status is the operator's free text. Only ACTIVE has a meaning for the product. */
export function checkStatus(value: string): string {
  if (value.trim() !== '' && value.length <= 50) return value;
  throw fleetError('invalid_agent', { message: 'status must have 1 to 50 characters', details: { field: 'status' } });
}
