import type { IncomingMessage } from 'node:http';

const EMPTY = Buffer.alloc(0);

/** The whole body, or undefined where it is larger than the limit; what is left of it is then read away unseen. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) => {
    const tooLarge = () => {
      request.removeAllListeners('data').resume();
      resolve(undefined);
    };
    if (Number(length) > limitBytes) return tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) tooLarge();
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client closed the connection')));
  });
}
