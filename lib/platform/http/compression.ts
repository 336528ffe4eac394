import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { AppError } from '../errors.ts';
import { type HttpResult, isStream } from './http-event.ts';

/** Smaller answers fit into a few packets, and are sent as they are. */
const COMPRESSED_FROM_BYTES = 64 * 1024;

/** The size that a packed body says it has unpacked: its last four bytes (RFC 1952). It says nothing if it is larger than 4 GiB, or no gzip. */
export const unpackedSize = (bytes: Buffer): number => (bytes.length < 18 ? 0 : bytes.readUInt32LE(bytes.length - 4));

/**
 * The bytes of a body that came with `Content-Encoding: gzip`. One that is larger than the limit, or than it says, is refused as soon as that is
 * seen: nothing takes more memory than was reserved for it.
 */
export async function unpackedBody(bytes: Buffer, limitBytes: number): Promise<Buffer> {
  const size = unpackedSize(bytes);
  if (size > limitBytes) throw new AppError('payload_too_large', `the unpacked body is larger than ${limitBytes} bytes`);
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch {
    throw new AppError('bad_request', 'the body is not valid gzip, as its Content-Encoding says', { code: 'invalid_encoding' });
  }
}

/** The answer, packed if it is large and the caller takes gzip. Streams are sent as they come. */
export async function packedAnswer(result: HttpResult, acceptEncoding: string | undefined): Promise<HttpResult> {
  const { body, headers } = result;
  if (isStream(body) || Buffer.byteLength(body) < COMPRESSED_FROM_BYTES || headers['content-encoding'] !== undefined) return result;
  const varying: HttpResult['headers'] = {
    ...headers,
    vary: headers.vary === undefined ? 'accept-encoding' : `${headers.vary}, accept-encoding`,
  };
  if (!takesGzip(acceptEncoding)) return { ...result, headers: varying };
  // The fastest level is a third of the time of the usual one, and packs YAML nearly as well.
  const packed = await promisify(gzip)(body, { level: constants.Z_BEST_SPEED });
  const { 'content-length': _length, ...rest } = varying;
  return { ...result, headers: { ...rest, 'content-encoding': 'gzip' }, body: packed };
}

const takesGzip = (acceptEncoding = ''): boolean =>
  acceptEncoding.split(',').some((entry) => /^\s*(?:x-)?gzip\s*(?:;(?!\s*q=0(?:\.0*)?\s*$)|$)/i.test(entry));
