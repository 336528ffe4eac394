import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** A version 4 UUID: the id of every entity on the fleet wire. */
export const newId = (): string => randomUUID();

/** A short text that is never the same twice, for values that are only compared. */
export const newToken = (): string => randomBytes(9).toString('base64url');

/** Cryptographically strong random bytes, for keys and tokens. */
export const randomSecret = (bytes: number): Uint8Array => randomBytes(bytes);

/** A number in [0, 1), for jitter and sampling. */
export const randomFraction = (): number => randomInt(0, 2 ** 32) / 2 ** 32;

/** The id of a trace, as OpenTelemetry has it: 32 hexadecimal digits. */
export const newTraceId = (): string => randomBytes(16).toString('hex');

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BYTES = 10;
let last: { ms: number; random: Buffer } = { ms: -1, random: Buffer.alloc(RANDOM_BYTES) };

/**
 * A ULID (26 characters of Crockford's base 32): the id of every entity on the AI wire. Ids of one process rise, also within a millisecond
 * and if the clock goes back.
 */
export function newUlid(nowMs: number): string {
  const ms = Math.max(Math.floor(nowMs), last.ms);
  last = { ms, random: ms === last.ms ? incremented(last.random) : randomBytes(RANDOM_BYTES) };
  // The first of ten characters has three bits at the most, so that the number stays below 2^48.
  const time = Array.from({ length: 10 }, (_, place) => CROCKFORD[Math.floor(ms / 32 ** (9 - place)) % 32]).join('');
  let bits = BigInt(`0x${last.random.toString('hex')}`);
  let random = '';
  for (let place = 0; place < 16; place++, bits >>= 5n) random = CROCKFORD[Number(bits & 31n)] + random;
  return time + random;
}

function incremented(bytes: Buffer): Buffer {
  const next = Buffer.from(bytes);
  for (let index = next.length - 1; index >= 0; index--) {
    next[index] = ((next[index] ?? 0) + 1) & 0xff;
    if (next[index] !== 0) break;
  }
  return next;
}

export const isUlid = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
