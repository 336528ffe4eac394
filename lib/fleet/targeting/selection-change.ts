import type { AuditEntry } from '../../identity/audit.ts';
import type { Change } from '../../platform/database/commit.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { announce } from './fleet-changed.ts';

export interface SelectionChange extends Change<AuditEntry> {
  agentId: string;
  revision?: Parameters<typeof moveRevisionWrite>[1];
}

/**
 * The one way to change what selects stacks for an agent: its labels, annotations, targets and registrations. The revision moves in
 * the transaction, so that nothing is lost, and once more after it: a transaction is not one moment to a reader of several items, who
 * may see the new revision beside the old edges, and would sleep on them.
 */
export const commitSelectionChange = (
  { commit }: FleetPorts,
  { agentId, revision = {}, writes, audit, events = [] }: SelectionChange,
): Promise<void> =>
  commit({
    writes: [...writes, moveRevisionWrite(agentId, revision)],
    audit,
    events: [announce({ kind: 'agent-changed', agent_id: agentId, stack_id: revision.stackId }), ...events],
  });
