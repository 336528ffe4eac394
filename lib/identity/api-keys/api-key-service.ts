import { newUlid } from '../../platform/ids.ts';
import type { AccountPorts, Caller } from '../accounts/account-ports.ts';
import { SCOPES, type Scope } from '../accounts/account-principals.ts';
import { dashboardError, invalidField } from '../accounts/dashboard-errors.ts';
import type { StoredProject } from '../projects/project.ts';
import { announceRemoval } from '../removal/account-removed.ts';
import { type ApiKey, type KeyLimits, mintKey, publicKey, type StoredApiKey } from './api-key.ts';
import { changeKeyWrites, KEYS_OF_A_PROJECT, listKeys, newKeyWrites, revokeKeyWrites } from './api-key-repository.ts';

export interface KeyInput {
  name: string;
  scopes?: readonly Scope[] | undefined;
  expires_at?: string | null | undefined;
  expiry_option?: '30days' | '90days' | 'never' | undefined;
  limits?: KeyLimits | undefined;
}

const DAY_MS = 86_400_000;
const OPTION_DAYS = { '30days': 30, '90days': 90 } as const;

/** When the key ends, in epoch milliseconds; null for never. A time that has passed is refused. */
function endOf({ expires_at, expiry_option }: Pick<KeyInput, 'expires_at' | 'expiry_option'>, nowMs: number): number | null {
  if (expires_at === undefined || expires_at === null)
    return expiry_option === undefined || expiry_option === 'never' ? null : nowMs + OPTION_DAYS[expiry_option] * DAY_MS;
  const endMs = Date.parse(expires_at);
  if (endMs <= nowMs) throw invalidField('expires_at', 'must be in the future', 'VALUE_OUT_OF_RANGE');
  return endMs;
}

const audited = (caller: Caller, action: string, key: StoredApiKey, details: Record<string, unknown> = {}) => ({
  actor: caller,
  action,
  resourceType: 'api_key',
  resourceId: key.id,
  details: { name: key.name, project_id: key.project_id, organization_id: key.organization_id, ...details },
});

/** Makes a key for the project. The answer is the only place where it is ever shown. */
export async function createKey(
  ports: AccountPorts,
  caller: Caller,
  project: StoredProject,
  input: KeyInput,
): Promise<ApiKey & { key: string }> {
  const nowMs = ports.clock.nowMs();
  const ends_at_ms = endOf(input, nowMs);
  if ((await listKeys(ports.database, project.id)).length >= KEYS_OF_A_PROJECT)
    throw dashboardError('LIMIT_REACHED', {
      message: `a project has at most ${KEYS_OF_A_PROJECT} keys`,
      details: { limit: KEYS_OF_A_PROJECT },
    });
  const { key, hash, preview } = mintKey();
  const stored: StoredApiKey = {
    id: newUlid(nowMs),
    hash,
    name: input.name,
    key_preview: preview,
    project_id: project.id,
    organization_id: project.organization_id,
    scopes: [...new Set(input.scopes ?? SCOPES)],
    status: 'active',
    limits: input.limits ?? {},
    ends_at_ms,
    last_used_at_ms: null,
    created_at: new Date(nowMs).toISOString(),
    created_by: caller.principal.user_id,
    version: 1,
  };
  const made = { ...publicKey(stored, nowMs), key };
  await ports.commit({
    writes: newKeyWrites(stored),
    answer: made,
    audit: audited(caller, 'api_key.created', stored, { scopes: stored.scopes }),
  });
  return made;
}

export interface KeyChange extends Pick<KeyInput, 'scopes' | 'expires_at' | 'limits'> {
  name?: string | undefined;
  status?: 'active' | 'inactive' | undefined;
}

/** Changes the members that are given. Instances that have the key in memory see it within five seconds. */
export async function updateKey(ports: AccountPorts, caller: Caller, before: StoredApiKey, change: KeyChange): Promise<ApiKey> {
  const nowMs = ports.clock.nowMs();
  const { name, scopes, limits, status, expires_at } = change;
  const set: Partial<StoredApiKey> = {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: [...new Set(scopes)] }),
    ...(limits !== undefined && { limits }),
    ...(status !== undefined && { status }),
    ...(expires_at !== undefined && { ends_at_ms: endOf({ expires_at }, nowMs) }),
  };
  await ports.commit({
    writes: changeKeyWrites(before, set),
    audit: audited(caller, 'api_key.updated', before, { changed: Object.keys(set) }),
  });
  ports.forgetApiKey(before.hash);
  return publicKey({ ...before, ...set }, nowMs);
}

/** Revokes a key. This process refuses it from now on, others within five seconds. Its own budgets are cleared away within minutes. */
export async function revokeKey(ports: AccountPorts, caller: Caller, key: StoredApiKey): Promise<void> {
  await ports.commit({
    writes: revokeKeyWrites(key, ports.clock.nowMs()),
    audit: audited(caller, 'api_key.revoked', key),
    events: [announceRemoval({ kind: 'api-key', organization_id: key.organization_id, key_id: key.id })],
  });
  ports.forgetApiKey(key.hash);
}
