import { hash, timingSafeEqual } from 'node:crypto';
import { base58 } from '../platform/base58.ts';
import { randomSecret } from '../platform/ids.ts';

/**
 * Pre-authentication keys: `brokkr_<short>_<long>`. The short part (`BR` and six characters) may be shown and logged, the long
 * part is 24 random bytes in base58. Only the SHA-256 of the long part's text is stored: at 192 bits of entropy it needs no salt.
 */
const PAK = /^brokkr_([1-9A-HJ-NP-Za-km-z]{1,16})_([1-9A-HJ-NP-Za-km-z]{20,64})$/;

export interface MintedPak {
  /** Shown once, never stored. */
  pak: string;
  hash: string;
}

export function mintPak(random: (bytes: number) => Uint8Array = randomSecret): MintedPak {
  const short = `BR${base58(random(8))}`.slice(0, 8);
  const long = base58(random(24));
  return { pak: `brokkr_${short}_${long}`, hash: hashOf(long) };
}

/** The hash under which a well-formed key is stored; undefined for any other text, so that it costs no read. */
export function pakHash(pak: string): string | undefined {
  const long = PAK.exec(pak)?.[2];
  return long === undefined ? undefined : hashOf(long);
}

const hashOf = (long: string) => hash('sha256', long);

/** Compares two hashes in a time that does not depend on where they differ. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The key in an Authorization header, alone or after `Bearer` in upper or lower case. */
export function pakOfHeader(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 256) return undefined;
  return header.replace(/^bearer +/i, '').trim() || undefined;
}

/** The public development key's hash: https://github.com/colliery-io/brokkr ships the key. It works only with BROKKR_DEV. */
export const DEVELOPMENT_PAK_HASH = '4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd';
