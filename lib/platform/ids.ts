import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** A version 4 UUID: the id of every entity on the fleet wire. */
export const newId = (): string => randomUUID();

/** A short text that is never the same twice, for values that are only compared. */
export const newToken = (): string => randomBytes(9).toString('base64url');

/** Cryptographically strong random bytes, for keys and tokens. */
export const randomSecret = (bytes: number): Uint8Array => randomBytes(bytes);

/** A number in [0, 1), for jitter and sampling. */
export const randomFraction = (): number => randomInt(0, 2 ** 32) / 2 ** 32;
