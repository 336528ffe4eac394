import { createBoundedCache } from '../platform/bounded-cache.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/database.ts';
import { AppError } from '../platform/errors.ts';
import type { RequestFacts } from '../platform/http/request-facts.ts';
import { type Credential, findCredential } from './credentials.ts';
import { DEVELOPMENT_PAK_HASH, pakHash, pakOfHeader, sameHash } from './pak.ts';
import type { AgentAccount, Principal } from './principal.ts';

export interface AuthenticatorPorts {
  database: Database;
  clock: Clock;
  /** Hashes of admin keys that come from the configuration rather than the store. */
  adminHashes: readonly string[];
  /** Reads the agent's record, strongly consistent; undefined if there is none. */
  findAgent(id: string): Promise<(AgentAccount & { credential_version: number }) | undefined>;
  /** Called for a key that is malformed or unknown. Must not throw. */
  onRefused(request: RequestFacts): Promise<void>;
}

export interface Authenticator {
  /** Throws `unauthenticated` for a missing, malformed, unknown or revoked key. */
  authenticate(request: RequestFacts): Promise<Principal>;
  /** Drops a principal's key from the cache, after a rotation or deletion in this process. */
  forget(principalId: string): void;
}

/**
 * A key's principal never changes; a key can only be revoked. An agent's key then stops at once in every process, because each of its
 * calls reads the agent's record, which contains the live credential's version. Other keys are looked up again after five seconds.
 */
const AGENT_CACHE_MS = 600_000;
const CACHE_MS = 5_000;
/** A full cache takes about 20 MB. A fleet with more keys than this loses hits in proportion. */
export const REMEMBERED_KEYS = 50_000;

/** The hashes of the admin keys in the configuration. Throws if the public key is one of them and BROKKR_DEV is not set. */
export function adminHashesOf(config: { BROKKR_ADMIN_PAK_HASH?: string | undefined; BROKKR_DEV: boolean }): string[] {
  const { BROKKR_ADMIN_PAK_HASH: own, BROKKR_DEV: development } = config;
  if (own === DEVELOPMENT_PAK_HASH && !development)
    throw new Error(
      'bad configuration: BROKKR_ADMIN_PAK_HASH: is the public development key, which everybody knows; it is accepted only with BROKKR_DEV=1',
    );
  return [...(own ? [own] : []), ...(development ? [DEVELOPMENT_PAK_HASH] : [])];
}

/** Costs one read unit for an agent (its record), none for others, and one more if the key is not in the cache. */
export function createAuthenticator(ports: AuthenticatorPorts): Authenticator {
  const { database, clock, adminHashes, findAgent, onRefused } = ports;
  const cache = createBoundedCache<{ credential: Credential; until: number }>(REMEMBERED_KEYS);

  async function credentialOf(hash: string): Promise<Credential | undefined> {
    const known = cache.get(hash);
    if (known && known.until > clock.monotonicMs()) return known.credential;
    const credential = await findCredential(database, hash);
    cache.delete(hash);
    if (!credential) return undefined;
    cache.set(hash, { credential, until: clock.monotonicMs() + (credential.principal_type === 'agent' ? AGENT_CACHE_MS : CACHE_MS) });
    return credential;
  }

  async function principalOf(hash: string): Promise<Principal | undefined> {
    if (adminHashes.some((admin) => sameHash(admin, hash))) return { type: 'admin' };
    const credential = await credentialOf(hash);
    if (!credential) return undefined;
    const { principal_type: type, principal_id: id } = credential;
    if (type === 'admin') return { type };
    if (type === 'generator') return { type, id };
    const item = await findAgent(id);
    if (item?.credential_version === credential.credential_version) return { type, id, item };
    cache.delete(hash);
    return undefined;
  }

  return {
    async authenticate(request) {
      const pak = pakOfHeader(request.headers.authorization);
      if (pak === undefined) throw unauthenticated('missing key');
      const hash = pakHash(pak);
      const principal = hash === undefined ? undefined : await principalOf(hash);
      if (principal) return principal;
      const reason = hash === undefined ? 'malformed key' : 'unknown key';
      await onRefused(request);
      throw unauthenticated(reason);
    },
    forget(principalId) {
      for (const [hash, { credential }] of cache.entries()) if (credential.principal_id === principalId) cache.delete(hash);
    },
  };
}

const unauthenticated = (reason: string) => new AppError('unauthenticated', reason, { code: 'unauthorized' });
