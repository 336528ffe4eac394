import { randomBytes, randomFillSync, randomInt, randomUUID } from 'node:crypto';

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
const RANDOM_DIGITS = 16;
/** The digits of the last ULID, as numbers below 32. */
const last = { ms: -1, time: '', random: new Uint8Array(RANDOM_DIGITS) };
/** One call for many ULIDs: asking for random bytes costs more than all the rest. */
const pool = { bytes: new Uint8Array(64 * RANDOM_DIGITS), used: 64 * RANDOM_DIGITS };

/**
 * A ULID (26 characters of Crockford's base 32): the id of every entity on the AI wire. Ids of one process rise, also within a millisecond
 * and if the clock goes back. 0.4 µs.
 */
export function newUlid(nowMs: number): string {
  const ms = Math.floor(nowMs);
  if (ms > last.ms) {
    last.ms = ms;
    // The first of ten characters has three bits at the most, so that the number stays below 2^48.
    last.time = '';
    for (let place = 9, left = ms; place >= 0; place--, left = Math.floor(left / 32)) last.time = CROCKFORD[left % 32] + last.time;
    drawDigits();
  } else {
    increment();
  }
  let random = '';
  for (const digit of last.random) random += CROCKFORD[digit];
  return last.time + random;
}

function drawDigits(): void {
  if (pool.used === pool.bytes.length) {
    randomFillSync(pool.bytes);
    pool.used = 0;
  }
  for (let place = 0; place < RANDOM_DIGITS; place++) last.random[place] = (pool.bytes[pool.used++] ?? 0) & 31;
}

function increment(): void {
  for (let place = RANDOM_DIGITS - 1; place >= 0; place--) {
    const digit = ((last.random[place] ?? 0) + 1) & 31;
    last.random[place] = digit;
    if (digit !== 0) return;
  }
}

export const isUlid = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
