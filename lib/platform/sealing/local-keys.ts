import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { randomSecret } from '../ids.ts';
import { type DataKey, type DataKeys, SealBroken } from './sealing.ts';

const KEY_BYTES = 32;

/** A new key, as a line of a key file. */
export const newKeyLine = (): string => Buffer.from(randomSecret(KEY_BYTES)).toString('base64');

/** A key's name is a part of its hash, which says nothing about the key. */
const named = (key: Buffer): DataKey => ({ key, name: `l-${createHash('sha256').update(key).digest('base64url').slice(0, 16)}` });

/** Keys of this machine, one a line. The first one seals; the others open what they sealed before. */
export function localKeys(lines: readonly string[]): DataKeys {
  const keys = lines.map((line, index) => {
    const key = Buffer.from(line, 'base64');
    if (key.length !== KEY_BYTES) throw new Error(`line ${index + 1} is not a key: each line has 32 bytes in base64`);
    return named(key);
  });
  const [current] = keys;
  if (!current) throw new Error('there is no key in it');
  return {
    current: async () => current,
    async find(wanted) {
      const found = keys.find(({ name }) => name === wanted);
      if (!found) throw new SealBroken('the text was sealed with another key than those of this machine');
      return found.key;
    },
  };
}

/** The keys of a file, which is read at the first use. */
export function keyFile(path: string): DataKeys {
  let read: Promise<DataKeys> | undefined;
  const keys = () =>
    (read ??= readFile(path, 'utf8')
      .then((text) => localKeys(text.split('\n').filter((line) => line.trim() !== '')))
      .catch((cause: Error) => {
        read = undefined;
        throw new Error(`the key file ${path} cannot be used: ${cause.message}`, { cause });
      }));
  return { current: async () => (await keys()).current(), find: async (name) => (await keys()).find(name) };
}
