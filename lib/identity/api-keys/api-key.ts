import { hash } from 'node:crypto';
import * as z from 'zod';
import { base62 } from '../../platform/base62.ts';
import { randomSecret } from '../../platform/ids.ts';
import { SCOPES } from '../accounts/account-principals.ts';
import { Ulid } from '../accounts/account-schemas.ts';

const SECRET_LENGTH = 40;
const API_KEY = /^bk_[A-Za-z0-9]{40}$/;

export interface MintedKey {
  /** Shown once, never stored. */
  key: string;
  hash: string;
  /** The first and the last four characters of the secret. */
  preview: string;
}

/** `bk_` and 40 letters and digits: 238 bits, so that a plain SHA-256 is safe to store. */
export function mintKey(random: (bytes: number) => Uint8Array = randomSecret): MintedKey {
  const secret = base62(SECRET_LENGTH, random);
  const key = `bk_${secret}`;
  return { key, hash: hash('sha256', key), preview: `bk_${secret.slice(0, 4)}...${secret.slice(-4)}` };
}

/** The hash under which a well-formed key is stored; undefined for any other text, so that it costs no read. */
export const keyHash = (key: string): string | undefined => (API_KEY.test(key) ? hash('sha256', key) : undefined);

export const KeyLimits = z.strictObject({
  requests_per_minute: z.int().min(1).max(1_000_000).optional(),
  tokens_per_minute: z.int().min(1).max(10_000_000_000).optional(),
});
export type KeyLimits = z.infer<typeof KeyLimits>;

const time = z.iso.datetime();
export const KeyScope = z.enum(SCOPES);

/** A key as its owners see it, without the key. */
export const ApiKey = z
  .object({
    id: Ulid,
    name: z.string(),
    key_prefix: z.string(),
    key_preview: z.string(),
    project_id: Ulid,
    scopes: z.array(KeyScope),
    status: z.enum(['active', 'inactive', 'expired']),
    limits: KeyLimits,
    last_used_at: time.nullable(),
    expires_at: time.nullable(),
    created_at: time,
    created_by: Ulid,
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKey>;

/** The key's item. `expires_at` of an item is the store's time to live, so the key's own end has another name. */
export const StoredApiKey = ApiKey.omit({ key_prefix: true, status: true, expires_at: true, last_used_at: true }).extend({
  hash: z.string(),
  organization_id: z.string(),
  /** A revoked key is kept for a while, so that its users learn why it is refused. */
  status: z.enum(['active', 'inactive', 'revoked']),
  ends_at_ms: z.number().nullable(),
  last_used_at_ms: z.number().nullable().default(null),
  version: z.int(),
});
export type StoredApiKey = z.infer<typeof StoredApiKey>;

export const hasEnded = ({ ends_at_ms }: Pick<StoredApiKey, 'ends_at_ms'>, nowMs: number): boolean =>
  ends_at_ms !== null && ends_at_ms <= nowMs;

const textOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export function publicKey(stored: StoredApiKey, nowMs: number): ApiKey {
  const { key_preview, ends_at_ms, last_used_at_ms, status } = stored;
  return {
    ...stored,
    key_prefix: `${key_preview.slice(0, 7)}...`,
    status: hasEnded(stored, nowMs) ? 'expired' : status === 'active' ? 'active' : 'inactive',
    last_used_at: textOf(last_used_at_ms),
    expires_at: textOf(ends_at_ms),
  };
}
