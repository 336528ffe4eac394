import { type Dispatcher, errors } from 'undici';
import type { OutgoingAnswer, OutgoingRequest } from './outgoing-client.ts';
import { OutgoingFailure } from './outgoing-failure.ts';

/** The sender is told to pause while this much is waiting to be read. */
const WAITING_BYTES = 64 * 1024;

type Controller = Dispatcher.DispatchController;
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Receives one answer from undici's parser: without its streams, which would cost more than all the rest of a call. */
export function callHandler({ signal, timeouts, limitBytes }: OutgoingRequest): {
  handler: Dispatcher.DispatchHandler;
  answer: Promise<OutgoingAnswer>;
} {
  const answer = Promise.withResolvers<OutgoingAnswer>();
  const pieces: Uint8Array[] = [];
  let waitingBytes = 0;
  let receivedBytes = 0;
  let controller: Controller | undefined;
  let ended = false;
  let failure: OutgoingFailure | undefined;
  let reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;

  const total = setTimeout(() => fail(late('total', timeouts.totalMs)), timeouts.totalMs);
  let phase: NodeJS.Timeout | undefined = setTimeout(() => fail(late('connect', timeouts.connectMs)), timeouts.connectMs);
  const abort = () => fail(new OutgoingFailure('aborted', 'the call was given up', { cause: signal?.reason }));
  signal?.addEventListener('abort', abort, { once: true });

  function release() {
    clearTimeout(total);
    clearTimeout(phase);
    signal?.removeEventListener('abort', abort);
  }
  function fail(reason: OutgoingFailure) {
    if (ended || failure) return;
    failure = reason;
    release();
    controller?.abort(reason);
    answer.reject(reason);
    reader?.reject(reason);
    reader = undefined;
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(given) {
      // The call may have failed while it waited for a connection.
      if (failure) return given.abort(failure);
      controller = given;
      clearTimeout(phase);
      phase = setTimeout(() => fail(late('first_byte', timeouts.firstByteMs)), timeouts.firstByteMs);
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200) return;
      clearTimeout(phase);
      phase = undefined;
      const received = joined(headers);
      if (Number(received['content-length'] ?? 0) > limitBytes) return fail(tooLarge(limitBytes));
      answer.resolve({ status, headers: received, body });
    },
    onResponseData(_controller, piece) {
      receivedBytes += piece.length;
      if (receivedBytes > limitBytes) return fail(tooLarge(limitBytes));
      if (reader) {
        clearTimeout(phase);
        reader.resolve({ done: false, value: piece });
        reader = undefined;
        return;
      }
      pieces.push(piece);
      waitingBytes += piece.length;
      if (waitingBytes >= WAITING_BYTES) controller?.pause();
    },
    onResponseEnd() {
      ended = true;
      release();
      reader?.resolve({ done: true, value: undefined });
      reader = undefined;
    },
    onResponseError(_controller, error) {
      fail(failureOf(error, controller !== undefined));
    },
  };

  const iterator: AsyncIterator<Uint8Array, undefined> = {
    next() {
      const piece = pieces.shift();
      if (piece) {
        waitingBytes -= piece.length;
        if (controller?.paused && waitingBytes < WAITING_BYTES) controller.resume();
        return Promise.resolve({ done: false, value: piece });
      }
      if (failure) return Promise.reject(failure);
      if (ended) return Promise.resolve({ done: true, value: undefined });
      reader = Promise.withResolvers();
      phase = setTimeout(() => fail(late('idle', timeouts.idleMs)), timeouts.idleMs);
      return reader.promise;
    },
    return() {
      pieces.length = 0;
      // Whoever reads in another place at the same time is told, too.
      fail(new OutgoingFailure('aborted', 'the answer was not read to its end'));
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  const body: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
  return { handler, answer: answer.promise };
}

const late = (limit: NonNullable<OutgoingFailure['limit']>, ms: number) =>
  new OutgoingFailure('timeout', `${WORDS[limit]} within ${ms} ms`, { limit });
const WORDS = {
  connect: 'no connection came about',
  first_byte: 'no answer began',
  idle: 'nothing more of the answer arrived',
  total: 'the answer was not complete',
} as const;

const tooLarge = (limitBytes: number) => new OutgoingFailure('too_large', `the answer is larger than ${limitBytes} bytes`);

function joined(headers: Headers): Record<string, string> {
  const all: Record<string, string> = Object.create(null);
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) all[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return all;
}

function failureOf(error: Error & { code?: string }, started: boolean): OutgoingFailure {
  const { code = '' } = error;
  // The check of an address fails as the connection's error.
  if (error instanceof OutgoingFailure) return new OutgoingFailure(error.reason, error.message, { cause: error, limit: error.limit });
  if (error instanceof errors.ConnectTimeoutError) return new OutgoingFailure('timeout', error.message, { cause: error, limit: 'connect' });
  if (!started) return new OutgoingFailure('connect', 'no connection came about', { cause: error });
  if (error instanceof errors.HeadersOverflowError) return new OutgoingFailure('too_large', 'the headers are too large', { cause: error });
  const message = code.startsWith('HPE_') ? 'the answer is not valid HTTP' : 'the connection ended before the answer was complete';
  return new OutgoingFailure('reset', message, { cause: error });
}
