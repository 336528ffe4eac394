import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../lib/platform/clock.ts';

export type Body = { kind: 'whole'; bytes: Buffer } | { kind: 'too-large' } | { kind: 'too-slow' } | { kind: 'gone' };

export interface BodyLimits {
  bytes: number;
  /** The whole body must have arrived within this time. */
  timeoutMs: number;
}

const EMPTY = Buffer.alloc(0);

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Reads the whole body within these limits. Nothing is kept of a body that exceeds one. */
export async function readBody(request: IncomingMessage, limits: BodyLimits, clock: Clock): Promise<Body> {
  if (!hasBody(request)) return { kind: 'whole', bytes: EMPTY };
  // Most bodies arrive together with their head, and are read without a listener or a clock.
  if (request.complete && request.readableLength <= limits.bytes) return { kind: 'whole', bytes: request.read() ?? EMPTY };
  const collected = collect(request, limits.bytes);
  try {
    return await inTime(collected, limits.timeoutMs, clock);
  } finally {
    request.removeAllListeners('data');
  }
}

async function inTime(collected: Promise<Body>, timeoutMs: number, clock: Clock): Promise<Body> {
  const done = new AbortController();
  const tooSlow = clock.sleep(timeoutMs, done.signal).then(
    () => ({ kind: 'too-slow' }) as const,
    () => ({ kind: 'gone' }) as const,
  );
  try {
    return await Promise.race([collected, tooSlow]);
  } finally {
    // With a reason of its own: Node would make an error with a stack trace.
    done.abort('arrived');
  }
}

function collect(request: IncomingMessage, limitBytes: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) resolve({ kind: 'too-large' });
      else chunks.push(chunk);
    });
    request.once('end', () =>
      resolve({ kind: 'whole', bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes) }),
    );
    request.once('error', () => resolve({ kind: 'gone' }));
    request.once('close', () => resolve({ kind: 'gone' }));
  });
}

/** The limits of `discardBody`. */
const DISCARD = { bytes: 8 * 1024 * 1024, timeoutMs: 2_000 } as const;

/**
 * Reads the rest of a body and keeps none of it: a client that is still sending would lose its answer if the connection were closed.
 * Resolves early if the rest is too long; the connection must not be used again then.
 */
export async function discardBody(request: IncomingMessage, clock: Clock): Promise<void> {
  if (request.complete || request.destroyed || !hasBody(request)) return;
  const done = new AbortController();
  const ended = new Promise<void>((resolve) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARD.bytes) resolve();
    });
    request.once('end', resolve).once('error', resolve).once('close', resolve);
  });
  await Promise.race([ended, clock.sleep(DISCARD.timeoutMs, done.signal).catch(() => {})]);
  done.abort();
}
