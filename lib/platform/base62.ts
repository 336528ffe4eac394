const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** The largest multiple of 62 that a byte can hold. Bytes from here on are skipped: taken modulo 62, they would favour some characters. */
const FAIR_BELOW = 248;

/** A text of `length` letters and digits, each equally likely, from a source of random bytes. */
export function base62(length: number, nextBytes: (count: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of nextBytes(length)) if (byte < FAIR_BELOW && text.length < length) text += ALPHABET[byte % 62];
  }
  return text;
}
