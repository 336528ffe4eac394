import { createCommit } from '../../lib/platform/database/commit.ts';
import { workTable } from '../../lib/platform/events/work-table.ts';
import { type AccountCleanUpPorts, accountCleanUp } from './account-clean-up.ts';
import { consumerServices } from './consumer-services.ts';

/** What the clean-up of accounts works with. Its own events are for itself. */
export const accountCleanUpServices = consumerServices(
  ({ database }, { clock }): AccountCleanUpPorts => ({
    database,
    commit: createCommit<never>({
      database,
      outbox: { table: workTable.name, clock, consumers: [accountCleanUp] },
      auditWrites: () => [],
      afterCommit: () => {},
    }),
  }),
);
