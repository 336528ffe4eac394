import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { adminHashesOf } from '../../lib/identity/authenticator.ts';
import { DEVELOPMENT_PAK_HASH, mintPak, pakHash, pakOfHeader, sameHash } from '../../lib/identity/pak.ts';
import { base58 } from '../../lib/platform/base58.ts';
import { loadConfig } from '../../lib/platform/config.ts';

/** The public development key, which everybody knows. */
const PUBLIC_PAK = 'brokkr_BR3rVsDa_GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8';

test('the public key has the published hash, which is the hash of its long part', () => {
  expect(pakHash(PUBLIC_PAK)).toBe('4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd');
  expect(pakHash(PUBLIC_PAK)).toBe(DEVELOPMENT_PAK_HASH);
  expect(pakHash('brokkr_BRother1_GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8')).toBe(DEVELOPMENT_PAK_HASH);
});

describe('base58', () => {
  const VECTORS: readonly [hex: string, text: string][] = [
    ['', ''],
    ['00', '1'],
    ['61', '2g'],
    ['626262', 'a3gV'],
    ['636363', 'aPEr'],
    ['73696d706c792061206c6f6e6720737472696e67', '2cFupjhnEsSn59qHXstmK2ffpLv2'],
    ['00eb15231dfceb60925886b67d065299925915aeb172c06647', '1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L'],
    ['516b6fcd0f', 'ABnLTmg'],
    ['bf4f89001e670274dd', '3SEo3LWLoPntC'],
    ['572e4794', '3EFU7m'],
    ['ecac89cad93923c02321', 'EJDM8drfXA6uyA'],
    ['10c8511e', 'Rt5zm'],
    ['00000000000000000000', '1111111111'],
  ];
  test.each(VECTORS)('the bytes "%s" are "%s" in base58', (hex, text) => expect(base58(Buffer.from(hex, 'hex'))).toBe(text));
});

describe('a minted key', () => {
  test('a minted key has the form that existing clients expect, and the hash by which it is looked up', () => {
    for (let n = 0; n < 200; n++) {
      const { pak, hash } = mintPak();
      expect(pak).toMatch(/^brokkr_BR[1-9A-HJ-NP-Za-km-z]{6}_[1-9A-HJ-NP-Za-km-z]{32,33}$/);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(pakHash(pak)).toBe(hash);
      expect(hash).toBe(
        createHash('sha256')
          .update(pak.split('_')[2] ?? '')
          .digest('hex'),
      );
    }
  });

  test('a minted key is never the same twice', () => {
    const minted = Array.from({ length: 2_000 }, () => mintPak());
    expect(new Set(minted.map(({ pak }) => pak)).size).toBe(2_000);
    expect(new Set(minted.map(({ hash }) => hash)).size).toBe(2_000);
  });

  test('a minted key has 24 random bytes in its secret part, and others in its public part', () => {
    const asked: number[] = [];
    const { pak } = mintPak((bytes) => {
      asked.push(bytes);
      return new Uint8Array(bytes).fill(asked.length);
    });
    expect(asked).toEqual([8, 24]);
    const [, short, long] = pak.split('_');
    expect(short).toBe(`BR${base58(new Uint8Array(8).fill(1))}`.slice(0, 8));
    expect(long).toBe(base58(new Uint8Array(24).fill(2)));
  });

  test('a minted key is well-formed even if all random bits are zeros or ones', () => {
    for (const byte of [0, 255]) expect(pakHash(mintPak((bytes) => new Uint8Array(bytes).fill(byte)).pak)).toBeDefined();
  });
});

describe('a malformed key', () => {
  const LONG = 'GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8';
  test.each([
    '',
    'brokkr',
    'brokkr__',
    `brokkr_${LONG}`,
    `_BR3rVsDa_${LONG}`,
    `other_BR3rVsDa_${LONG}`,
    `BROKKR_BR3rVsDa_${LONG}`,
    `brokkr_BR3rVsDa_${LONG}_x`,
    `brokkr_BR3rVsDa_${LONG} `,
    ` brokkr_BR3rVsDa_${LONG}`,
    `brokkr_BR3rVsDa_${LONG}\n`,
    `brokkr_BR3rVsDa_0${LONG}`,
    `brokkr_BR3rVsDa_${LONG}l`,
    'brokkr_BR3rVsDa_short',
    `brokkr_BR3rVsDa_${LONG.repeat(3)}`,
    `brokkr_BR3r-sDa_${LONG}`,
    `Basic brokkr_BR3rVsDa_${LONG}`,
  ])('"%s" is not a key', (text) => expect(pakHash(text)).toBeUndefined());
});

describe('an Authorization header', () => {
  test.each([
    ['alone', PUBLIC_PAK, PUBLIC_PAK],
    ['after Bearer', `Bearer ${PUBLIC_PAK}`, PUBLIC_PAK],
    ['after bearer', `bearer ${PUBLIC_PAK}`, PUBLIC_PAK],
    ['after BEARER and blanks', `BEARER   ${PUBLIC_PAK} `, PUBLIC_PAK],
  ])('a key is read from a header that has it %s', (_form, header, pak) => expect(pakOfHeader(header)).toBe(pak));

  test.each([
    ['no', undefined],
    ['an empty', ''],
    ['a blank', '   '],
    ['an overlong', `Bearer ${'x'.repeat(300)}`],
  ])('no key is read from %s header', (_form, header) => expect(pakOfHeader(header)).toBeUndefined());

  test.each([`Basic ${PUBLIC_PAK}`, `Bearer Bearer ${PUBLIC_PAK}`, `Bearer${PUBLIC_PAK}`, `Token ${PUBLIC_PAK}`, 'Bearer'])(
    'the header "%s" has another scheme and gives no key',
    (header) => {
      expect(pakHash(pakOfHeader(header) ?? '')).toBeUndefined();
    },
  );
});

test('two hashes are equal only if every character is', () => {
  expect(sameHash(DEVELOPMENT_PAK_HASH, DEVELOPMENT_PAK_HASH)).toBe(true);
  for (const other of ['', DEVELOPMENT_PAK_HASH.slice(1), `${DEVELOPMENT_PAK_HASH}0`, DEVELOPMENT_PAK_HASH.replace('4', '5')]) {
    expect(sameHash(DEVELOPMENT_PAK_HASH, other)).toBe(false);
  }
});

test.each(['abc', 'A'.repeat(64), `${'0'.repeat(63)}g`, `${DEVELOPMENT_PAK_HASH}0`])(
  'the configured admin hash "%s" is refused, since it is not a SHA-256 in hex',
  (hash) => {
    expect(() => loadConfig({ BROKKR_ADMIN_PAK_HASH: hash })).toThrow(/BROKKR_ADMIN_PAK_HASH: must be a SHA-256/);
  },
);

test('the configured hash is an admin key, and the public one only in development', () => {
  expect(adminHashesOf(loadConfig({}))).toEqual([]);
  expect(adminHashesOf(loadConfig({ BROKKR_ADMIN_PAK_HASH: '', BROKKR_DEV: '0' }))).toEqual([]);
  expect(adminHashesOf(loadConfig({ BROKKR_DEV: '1' }))).toEqual([DEVELOPMENT_PAK_HASH]);
  const hash = '0'.repeat(64);
  expect(adminHashesOf(loadConfig({ BROKKR_ADMIN_PAK_HASH: hash, BROKKR_DEV: '1' }))).toEqual([hash, DEVELOPMENT_PAK_HASH]);
});
