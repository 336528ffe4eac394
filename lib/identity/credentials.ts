import * as z from 'zod';
import type { Database, Item, Write } from '../platform/database/database.ts';
import { credentialKey, identityTable, principalKey } from './identity-table.ts';
import { PrincipalType } from './principal.ts';

/** The owner of a key, stored under the key's hash. `credential_version` rises with each rotation; an agent's record has the live one. */
export const Credential = z.object({ principal_type: PrincipalType, principal_id: z.string(), credential_version: z.int() });
export type Credential = z.infer<typeof Credential>;

const table = identityTable.name;

/** The writes that give a principal its first key. */
export function grantWrites(credential: Credential, hash: string): Write[] {
  return [
    { table, put: { ...credentialKey(hash), type: 'credential', ...credential } as Item, if: { exists: false } },
    { table, put: { ...principalKey(credential.principal_id), type: 'principal', hash } as Item, if: { exists: false } },
  ];
}

/** The hash of a principal's live key. */
export async function findKeyHash(database: Database, principalId: string): Promise<string | undefined> {
  const pointer = await database.get(table, principalKey(principalId));
  return pointer && z.string().parse(pointer.hash);
}

/** The writes that revoke a principal's key. They fail if the key was rotated meanwhile: the pointer must still name `hash`. */
export function revokeWrites(principalId: string, hash: string): Write[] {
  return [
    { table, delete: principalKey(principalId), if: { equals: { hash } } },
    { table, delete: credentialKey(hash) },
  ];
}

/** The writes that replace a principal's key `old`, which is revoked in the same transaction. */
export function rotateWrites(credential: Credential, old: string, hash: string): Write[] {
  return [
    { table, put: { ...credentialKey(hash), type: 'credential', ...credential } as Item, if: { exists: false } },
    { table, put: { ...principalKey(credential.principal_id), type: 'principal', hash } as Item, if: { equals: { hash: old } } },
    { table, delete: credentialKey(old) },
  ];
}

export async function findCredential(database: Database, hash: string): Promise<Credential | undefined> {
  const item = await database.get(table, credentialKey(hash));
  return item && Credential.parse(item);
}
