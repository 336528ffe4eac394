import { scrypt, timingSafeEqual } from 'node:crypto';
import { randomSecret } from '../../../platform/ids.ts';

/** scrypt's costs: about 70 ms and 32 MiB for each check. A stored password carries its own, so that these can rise. */
const COSTS = { N: 2 ** 15, r: 8, p: 1 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** `scrypt1$<N>$<r>$<p>$<salt>$<hash>`, salt and hash in base64url. */
const STORED = /^scrypt1\$(\d{1,7})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/;
/** The password of nobody. Checking it takes as long as checking a real one. */
const NOBODY = `scrypt1$${COSTS.N}$${COSTS.r}$${COSTS.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

export async function hashPassword(password: string): Promise<string> {
  const salt = Buffer.from(randomSecret(SALT_BYTES));
  const hash = await derive(password, salt, COSTS);
  return `scrypt1$${COSTS.N}$${COSTS.r}$${COSTS.p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/** Whether the password is the stored one. Without a stored one it takes the same time and returns false. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, N = '', r = '', p = '', salt = '', hash = ''] = STORED.exec(stored ?? NOBODY) ?? [];
  if (hash === '') throw new Error('a stored password has an unknown form');
  const expected = Buffer.from(hash, 'base64url');
  const actual = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) });
  return expected.length === actual.length && timingSafeEqual(expected, actual) && stored !== undefined;
}

function derive(password: string, salt: Buffer, { N, r, p }: typeof COSTS): Promise<Buffer> {
  const maxmem = 256 * N * r;
  // Unicode has several forms of one text, and keyboards differ in the one that they type.
  return new Promise((resolve, reject) =>
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, { N, r, p, maxmem }, (error, hash) => (error ? reject(error) : resolve(hash))),
  );
}
