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
 * The one way to change an agent's labels, annotations, targets and registrations. The agent's revision moves in the transaction, so that
 * no change is lost, and once more after it: a poll reads several items, so during the transaction it may see the new revision beside
 * the old edges, and without the second move it would keep the old answer.
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
