import { DecryptCommand, GenerateDataKeyCommand, IncorrectKeyException, InvalidCiphertextException, KMSClient } from '@aws-sdk/client-kms';
import { createBoundedCache } from '../bounded-cache.ts';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { type DataKey, type DataKeys, SealBroken } from './sealing.ts';

export interface KmsKeysOptions {
  /** The id, the ARN or the alias of the key in AWS KMS. */
  keyId: string;
  clock: Clock;
  region?: string | undefined;
  /** An address other than AWS's own, with any credentials. */
  endpoint?: string | undefined;
}

/** A data key is used, and remembered, for this long: a withdrawn right to the key in KMS takes effect after it at the latest. */
const KEEP_MS = 3_600_000;
const KNOWN_KEYS = 1_000;
/** A part of what KMS checks: a data key of another program with the same KMS key opens nothing here. */
const CONTEXT = { purpose: 'brokkr-sealing' };

/** Data keys that AWS KMS makes and decrypts. Each sealed text carries its own, encrypted by the key that never leaves KMS. */
export function kmsKeys({ keyId, clock, region, endpoint }: KmsKeysOptions): DataKeys {
  const client = new KMSClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && {
      endpoint,
      region: region ?? 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 },
  });
  const known = createBoundedCache<{ key: Promise<Uint8Array>; untilMs: number }>(KNOWN_KEYS);
  let current: { key: Promise<DataKey>; untilMs: number } | undefined;

  async function make(): Promise<DataKey> {
    const { Plaintext, CiphertextBlob } = await client
      .send(new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: CONTEXT }))
      .catch(unavailable);
    if (!Plaintext || !CiphertextBlob) throw new Error('KMS has made no data key');
    const name = `k-${Buffer.from(CiphertextBlob).toString('base64url')}`;
    known.set(name, { key: Promise.resolve(Plaintext), untilMs: clock.monotonicMs() + KEEP_MS });
    return { key: Plaintext, name };
  }

  async function decrypt(name: string): Promise<Uint8Array> {
    const { Plaintext } = await client
      .send(new DecryptCommand({ KeyId: keyId, CiphertextBlob: Buffer.from(name.slice(2), 'base64url'), EncryptionContext: CONTEXT }))
      .catch((error: unknown) => {
        if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException)
          throw new SealBroken('the text was sealed with another key than the one in KMS', { cause: error });
        return unavailable(error);
      });
    if (!Plaintext) throw new Error('KMS has decrypted nothing');
    return Plaintext;
  }

  return {
    current() {
      if (current && clock.monotonicMs() < current.untilMs) return current.key;
      const made = { key: make(), untilMs: clock.monotonicMs() + KEEP_MS };
      current = made;
      made.key.catch(() => {
        if (current === made) current = undefined;
      });
      return made.key;
    },
    find(name) {
      if (!name.startsWith('k-')) return Promise.reject(new SealBroken('the text was not sealed with a key of KMS'));
      const cached = known.get(name);
      if (cached && clock.monotonicMs() < cached.untilMs) return cached.key;
      const key = decrypt(name);
      known.set(name, { key, untilMs: clock.monotonicMs() + KEEP_MS });
      // A failure is not remembered: the next call asks again.
      key.catch(() => known.delete(name));
      return key;
    },
  };
}

const unavailable = (cause: unknown): never => {
  throw new AppError('unavailable', 'the key service is not available; try again', { retryAfterSeconds: 2, cause });
};
