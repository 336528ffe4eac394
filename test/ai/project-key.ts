import { type Account, type AccountHost, data, makeAccount } from '../identity/account-builder.ts';

export interface ProjectKey {
  key: string;
  id: string;
  project_id: string;
  account: Account;
}

/** A key of a new user's default project. */
export async function newProjectKey(host: AccountHost, input: Record<string, unknown> = {}): Promise<ProjectKey> {
  const account = await makeAccount(host);
  const { key, id, project_id } = data(await account.api.post('/api-keys', { name: 'first', ...input }));
  return { key, id, project_id, account };
}
