import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import type { AppError } from '../../platform/errors.ts';
import type { RequestFacts } from '../../platform/http/request-facts.ts';
import { createLruCache } from '../../platform/lru-cache.ts';
import type { ProjectKeyPrincipal } from '../accounts/account-principals.ts';
import { organizationKey, projectKey } from '../accounts/accounts-table.ts';
import { dashboardError } from '../accounts/dashboard-errors.ts';
import { planOf } from '../accounts/plans.ts';
import { identityTable } from '../identity-table.ts';
import { StoredOrganization } from '../organizations/organization.ts';
import { StoredProject } from '../projects/project.ts';
import { hasEnded, keyHash, type StoredApiKey } from './api-key.ts';
import { findKeyByHash } from './api-key-repository.ts';

/** What is known of a key is read again after this time, while it still serves. */
const REFRESH_AFTER_MS = 2_500;
/** After this time it serves no more: a revoked key is refused within it everywhere, also if the store is unavailable. */
const MAX_AGE_MS = 5_000;
/** A key that was unknown is looked up again after this time, so that a new key works at once. */
const UNKNOWN_MS = 900;
/** About 10 MB. */
const REMEMBERED = 20_000;
const REMEMBERED_UNKNOWN = 10_000;

interface Known {
  key: StoredApiKey;
  /** Undefined if the project or its organization is gone. */
  place: { project: StoredProject; organization: StoredOrganization } | undefined;
  readAtMs: number;
}

export interface KeyAuthenticator {
  /** Throws for a missing, malformed, unknown, revoked or expired key, and for a project that isn't active. */
  authenticate(request: Pick<RequestFacts, 'headers'>): Promise<ProjectKeyPrincipal>;
  /** Makes this process read a key again, after a change in it. */
  forget(hash: string): void;
}

/** The key of a request: X-API-Key, else `Authorization: Bearer`. */
export function keyOfHeaders(headers: RequestFacts['headers']): string | undefined {
  const own = headers['x-api-key']?.trim();
  if (own) return own;
  return /^(?:bearer +)?(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** Costs nothing for a key in memory, three read units for another, and no read for a text that can't be a key. */
export function createKeyAuthenticator({ database, clock }: { database: Database; clock: Clock }): KeyAuthenticator {
  const kept = createLruCache<Known>(REMEMBERED);
  const unknown = createLruCache<{ readAtMs: number }>(REMEMBERED_UNKNOWN);
  const reading = new Map<string, Promise<Known | undefined>>();

  async function load(hash: string, readAtMs: number): Promise<Known | undefined> {
    const key = await findKeyByHash(database, hash);
    if (!key) return undefined;
    const items = await database.batchGet(identityTable.name, [projectKey(key.project_id), organizationKey(key.organization_id)]);
    const project = items.find(({ sk }) => sk === 'PROJECT');
    const organization = items.find(({ sk }) => sk === 'ORG');
    const place = project &&
      organization && { project: StoredProject.parse(project), organization: StoredOrganization.parse(organization) };
    return { key, place, readAtMs };
  }

  /** Any number of calls at once cause one read of a key. Its age runs from before the read. */
  function read(hash: string): Promise<Known | undefined> {
    const known = reading.get(hash);
    if (known) return known;
    const readAtMs = clock.monotonicMs();
    const started = load(hash, readAtMs)
      .then((found) => {
        // After `forget`, this read is too old to be kept.
        if (reading.get(hash) !== started) return found;
        if (found) kept.set(hash, found);
        else {
          kept.delete(hash);
          unknown.set(hash, { readAtMs });
        }
        return found;
      })
      .finally(() => {
        if (reading.get(hash) === started) reading.delete(hash);
      });
    reading.set(hash, started);
    return started;
  }

  async function find(hash: string): Promise<Known | undefined> {
    const nowMs = clock.monotonicMs();
    const known = kept.get(hash);
    if (known) {
      const age = nowMs - known.readAtMs;
      if (age >= MAX_AGE_MS) return read(hash);
      // A failure shows at the call that needs the read.
      if (age >= REFRESH_AFTER_MS) read(hash).catch(() => undefined);
      return known;
    }
    const missed = unknown.get(hash);
    if (missed && nowMs - missed.readAtMs < UNKNOWN_MS) return undefined;
    return read(hash);
  }

  return {
    async authenticate({ headers }) {
      const text = keyOfHeaders(headers);
      if (text === undefined) throw dashboardError('MISSING_CREDENTIALS', { message: 'an API key is missing' });
      const hash = keyHash(text);
      const found = hash === undefined ? undefined : await find(hash);
      if (!found?.place) throw dashboardError('API_KEY_INVALID');
      return principalOf(found.key, found.place, clock.nowMs());
    },
    forget(hash) {
      kept.delete(hash);
      unknown.delete(hash);
      reading.delete(hash);
    },
  };
}

/** The principal of a key that may be used now. The end of a key is looked at each time, whatever is in memory. */
function principalOf(key: StoredApiKey, { project, organization }: NonNullable<Known['place']>, nowMs: number): ProjectKeyPrincipal {
  if (key.status !== 'active') throw dashboardError('API_KEY_REVOKED');
  if (hasEnded(key, nowMs)) throw dashboardError('API_KEY_EXPIRED');
  if (project.status !== 'active') throw inactive(`the project is ${project.status}`);
  if (organization.status !== 'active') throw inactive(`the organization is ${organization.status}`);
  const ofPlan = organization.requests_per_minute ?? planOf(organization.plan).requests_per_minute;
  return {
    type: 'project-key',
    key_id: key.id,
    key_name: key.name,
    project_id: key.project_id,
    organization_id: key.organization_id,
    plan: organization.plan,
    scopes: key.scopes,
    requests_per_minute: Math.min(ofPlan, key.limits.requests_per_minute ?? ofPlan),
    tokens_per_minute: key.limits.tokens_per_minute ?? null,
    expires_at_ms: key.ends_at_ms,
  };
}

const inactive = (message: string): AppError => dashboardError('PROJECT_INACTIVE', { message });
