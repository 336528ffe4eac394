import * as z from 'zod';
import type { Database, Item, Write } from '../../../platform/database/database.ts';
import { identityTable } from '../../identity-table.ts';
import { Ulid } from '../account-schemas.ts';
import { emailKey, userKey } from '../accounts-table.ts';
import { dashboardError } from '../dashboard-errors.ts';

const time = z.iso.datetime();
/** A user as he sees himself. */
export const UserProfile = z
  .object({
    id: Ulid,
    email: z.string(),
    name: z.string(),
    avatar_url: z.string().nullable(),
    created_at: time,
    updated_at: time,
    default_organization_id: Ulid,
  })
  .meta({ id: 'User' });

export const StoredUser = UserProfile.extend({
  password: z.string(),
  status: z.enum(['active', 'inactive']),
  default_project_id: z.string(),
  /** Sessions of another version have ended: one write ends them all. */
  sessions_version: z.int(),
  last_login_at: time.nullable(),
  version: z.int(),
});
export type StoredUser = z.infer<typeof StoredUser>;

const table = identityTable.name;

/** The writes for a new user. They fail with EMAIL_ALREADY_EXISTS if the address is taken. */
export const newUserWrites = (user: StoredUser): Write[] => [
  {
    table,
    put: { ...emailKey(user.email), type: 'email', user_id: user.id } as Item,
    if: { exists: false },
    orElse: () => dashboardError('EMAIL_ALREADY_EXISTS', { details: { field: 'email' } }),
  },
  { table, put: { ...userKey(user.id), type: 'user', ...user } as Item, if: { exists: false } },
];

/** The write that changes a user who is still as he was read. */
export const changeUserWrite = ({ id, version }: StoredUser, change: Partial<StoredUser>): Write => ({
  table,
  update: userKey(id),
  set: { ...change, version: version + 1 },
  if: { equals: { version } },
});

export async function findUser(database: Database, id: string): Promise<StoredUser | undefined> {
  const item = await database.get(table, userKey(id));
  return item && StoredUser.parse(item);
}

export async function findUserByEmail(database: Database, email: string): Promise<StoredUser | undefined> {
  const pointer = await database.get(table, emailKey(email));
  return pointer && findUser(database, z.string().parse(pointer.user_id));
}
