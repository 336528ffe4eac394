import type { Writable } from 'node:stream';
import type { AnswerEnd } from './http-event.ts';

export interface PipeOptions {
  /** A caller that takes nothing for this long counts as gone. */
  stallMs: number;
  /** Called with an error that the stream has thrown. */
  onFailure(error: unknown): void;
}

/**
 * Writes each piece of a stream at once, and asks for the next one only when the connection takes more. The end of the connection ends
 * the stream too: its `return` is called, although it may be waiting for something. Resolves when the last byte was handed over.
 */
export function pipeStream(stream: AsyncIterable<Uint8Array>, out: Writable, { stallMs, onFailure }: PipeOptions): Promise<AnswerEnd> {
  const iterator = stream[Symbol.asyncIterator]();
  const ended = Promise.withResolvers<AnswerEnd>();
  let bytes = 0;
  let over = false;
  const end = (outcome: AnswerEnd['outcome']) => {
    over = true;
    ended.resolve({ outcome, bytes });
  };
  const leave = () => {
    if (over) return;
    end('client_closed');
    // The stream may be in the middle of a wait: its signal ends that, and this call takes effect afterwards.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  };
  out.once('close', leave).on('error', leave);

  const pump = async () => {
    try {
      for (;;) {
        const next = await iterator.next();
        if (over) return;
        if (next.done) return out.end(() => over || end('complete'));
        bytes += next.value.byteLength;
        if (!out.write(next.value)) await drained(out, stallMs);
        if (over) return;
      }
    } catch (error) {
      if (over) return;
      onFailure(error);
      end('failed');
      // Not at once: the pieces before the failure are still on their way to the socket.
      setImmediate(() => out.destroy());
    }
  };
  if (out.destroyed) leave();
  else void pump();
  return ended.promise;
}

/** Resolves when the connection takes more, or is closed: because its other side left, or because it took nothing for `stallMs`. */
function drained(out: Writable, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => out.destroy(), stallMs);
    const done = () => {
      clearTimeout(stalled);
      out.off('drain', done).off('close', done);
      resolve();
    };
    out.once('drain', done).once('close', done);
  });
}
