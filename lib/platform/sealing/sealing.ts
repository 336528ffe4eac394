import { createCipheriv, createDecipheriv } from 'node:crypto';
import { randomSecret } from '../ids.ts';

/** Keeps secrets that have to be shown again, such as providers' keys. Keys that are only compared are stored as hashes instead. */
export interface Sealing {
  /** `associated` names the owner of the secret: the sealed text can be opened for the same owner alone. */
  seal(text: string, associated: string): Promise<string>;
  /** Throws SealBroken if a character was changed, or if the text was sealed for another owner or with another key. */
  open(sealed: string, associated: string): Promise<string>;
}

/** A key that seals many texts. */
export interface DataKey {
  key: Uint8Array;
  /** What finds the key again; it is part of each sealed text. Without dots. */
  name: string;
}

export interface DataKeys {
  /** The key to seal with at this time. */
  current(): Promise<DataKey>;
  /** The key with this name. Rejects with SealBroken if it is none of ours. */
  find(name: string): Promise<Uint8Array>;
}

export class SealBroken extends Error {
  override name = 'SealBroken';
}

/** AES-256-GCM; the key's name, the nonce and the ciphertext with its tag follow, in base64url. */
const VERSION = 's1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSealing(keys: DataKeys): Sealing {
  return {
    async seal(text, associated) {
      const { key, name } = await keys.current();
      const nonce = randomSecret(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(name, associated));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, name, Buffer.from(nonce).toString('base64url'), sealed.toString('base64url')].join('.');
    },
    async open(sealed, associated) {
      const [version, name, nonceText, sealedText, ...rest] = sealed.split('.');
      if (version !== VERSION || !name || !nonceText || !sealedText || rest.length > 0) throw new SealBroken('this is not a sealed text');
      const [nonce, bytes] = [exactly(nonceText), exactly(sealedText)];
      if (nonce.length !== NONCE_BYTES || bytes.length < TAG_BYTES) throw new SealBroken('this is not a sealed text');
      const key = await keys.find(name);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(contextOf(name, associated))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
      } catch {
        throw new SealBroken('the sealed text was changed, or it was sealed for another owner');
      }
    },
  };
}

const contextOf = (name: string, associated: string) => Buffer.from(`${VERSION}.${name}.${associated}`, 'utf8');

/** Node's decoder ignores characters that are not base64url, so that a changed text could open. */
function exactly(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new SealBroken('this is not a sealed text');
  return bytes;
}
