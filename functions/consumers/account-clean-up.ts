import {
  clearKeyConfiguration,
  clearOrganizationConfiguration,
  clearProjectConfiguration,
} from '../../lib/ai/routing/configuration/clear-configuration.ts';
import { ACCOUNT_CLEAN_UP_QUEUE, type AccountRemoval, accountRemoved } from '../../lib/identity/removal/account-removed.ts';
import { clearOrganization, clearProject, keysOfProject } from '../../lib/identity/removal/clear-account.ts';
import type { Commit } from '../../lib/platform/database/commit.ts';
import type { Database } from '../../lib/platform/database/database.ts';
import { consumerFor } from '../../lib/platform/events/consumer.ts';

export interface AccountCleanUpPorts {
  database: Database;
  commit: Commit<never>;
}

/**
 * Deletes what removed organizations, removed projects and revoked keys leave behind, each with a message of its own: those of an
 * organization's projects follow from that of the organization. The outbox's sweep brings a message no sooner than any request that began
 * before the removal has ended, so that nothing is written afterwards.
 */
export const accountCleanUp = consumerFor<AccountCleanUpPorts>()({
  queue: ACCOUNT_CLEAN_UP_QUEUE,
  events: [accountRemoved],
  handle: (ports, { data }) => clearAccount(ports, data),
});

async function clearAccount({ database, commit }: AccountCleanUpPorts, removal: AccountRemoval): Promise<void> {
  if (removal.kind === 'api-key') return clearKeyConfiguration(database, removal);
  if (removal.kind === 'project') {
    const { project_id } = removal;
    // The keys' own budgets can only be found while the keys' edges are there, so the edges go last.
    await clearProjectConfiguration(database, removal, await keysOfProject(database, project_id));
    await clearProject(database, project_id);
    return;
  }
  await clearOrganization(database, commit, removal.organization_id);
  await clearOrganizationConfiguration(database, removal.organization_id);
}
