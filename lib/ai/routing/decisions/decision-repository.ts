import type { Database, Put } from '../../../platform/database/database.ts';
import { expiresAt, isExpired } from '../../../platform/database/table.ts';
import { decisionKey, gatewayTable } from '../../gateway-table.ts';
import { RoutingDecision } from './routing-decision.ts';

const KEPT_DAYS = 7;

/** Stored again, a decision is the same: a message that is delivered twice changes nothing. */
export const decisionPut = (decision: RoutingDecision): Put => ({
  table: gatewayTable.name,
  put: {
    ...decisionKey(decision.id),
    type: 'decision',
    // As a text: the store's form of so many nested members would cost several times as much to write.
    decision: JSON.stringify(decision),
    expires_at: expiresAt(Date.parse(decision.created_at), KEPT_DAYS),
  },
});

/** The decision, if it is this organization's and not too old. */
export async function findDecision(
  database: Database,
  organizationId: string,
  id: string,
  nowMs: number,
): Promise<RoutingDecision | undefined> {
  const found = await database.get(gatewayTable.name, decisionKey(id));
  if (!found || isExpired(found, nowMs)) return undefined;
  const decision = RoutingDecision.parse(JSON.parse(String(found.decision)));
  return decision.organization_id === organizationId ? decision : undefined;
}
