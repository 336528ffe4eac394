import type { OutgoingAnswer } from '../../../platform/outgoing/outgoing-client.ts';
import { OutgoingFailure } from '../../../platform/outgoing/outgoing-failure.ts';
import type { Adapter, Target, UpstreamFailure, UpstreamRequest } from '../../providers/adapter.ts';
import { withoutKey } from '../../providers/safe-message.ts';
import type { HealthSample } from '../../routing/health/health-sample.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import { parsePlainJson } from '../../wire/exact-json.ts';
import type { AttemptNote } from '../call/call-journal.ts';
import { type RunningCall, throwIfGone } from '../call/running-call.ts';
import { AttemptFailed, CallerGone, connectionFailure, unusableAnswer } from './attempt-failure.ts';

/** A provider that has begun to answer with a status of success. */
export interface Asked {
  note: AttemptNote;
  adapter: Adapter;
  target: Target;
  response: OutgoingAnswer;
}

export interface Question {
  candidate: Candidate;
  make(adapter: Adapter, target: Target): UpstreamRequest;
  streamed: boolean;
  /** Ends this attempt alone, as the loser of a hedge. */
  signal?: AbortSignal | undefined;
}

const CONNECT_MS = 5_000;
/** The largest answer that is taken into memory, and the most of an error that is read. */
const ANSWER_BYTES = 32 * 1024 * 1024;
const ERROR_BYTES = 256 * 1024;

/** Sends one request to one provider. Throws AttemptFailed for everything but a status of success. */
export async function askProvider(run: RunningCall, { candidate, make, streamed, signal }: Question): Promise<Asked> {
  throwIfGone(run.call);
  const { ports, journal } = run;
  const target = ports.memory.targetOf(candidate);
  const adapter = ports.adapterFor(target.type);
  const upstream = make(adapter, target);
  for (const warning of upstream.warnings) journal.warnings.add(warning);
  const note = journal.begin(candidate);
  try {
    const response = await ports.send(target, {
      method: upstream.method,
      url: upstream.url,
      headers: upstream.headers,
      body: upstream.body,
      signal: signal ?? run.call.signal,
      timeouts: timeoutsOf(run, candidate, streamed),
      limitBytes: streamed ? Number.POSITIVE_INFINITY : ANSWER_BYTES,
    });
    note.firstByteMs = ports.clock.monotonicMs() - note.startMs;
    if (response.status < 400) return { note, adapter, target, response };
    const body = jsonOrText(await textOf(response, ERROR_BYTES));
    const refused = new AttemptFailed(adapter.failure(response.status, response.headers, body));
    refused.injected = upstream.injected ?? [];
    throw refused;
  } catch (error) {
    throw endAttempt(run, note, error, signal);
  }
}

/** A whole answer is silent until it is complete, minutes where a model reasons. It may take so many times the silence of a stream. */
const WHOLE_ANSWER = 10;

function timeoutsOf({ ports, deadlineMs }: RunningCall, { provider }: Candidate, streamed: boolean) {
  const totalMs = Math.max(1, deadlineMs - ports.clock.monotonicMs());
  const silenceMs = Math.min(provider.timeout_seconds * 1_000 * (streamed ? 1 : WHOLE_ANSWER), totalMs);
  return { connectMs: Math.min(CONNECT_MS, silenceMs), firstByteMs: silenceMs, idleMs: silenceMs, totalMs };
}

/** Notes how an attempt failed, and returns the error to throw. */
export function endAttempt({ call, journal }: RunningCall, note: AttemptNote, error: unknown, signal?: AbortSignal): unknown {
  if (call.signal.aborted || signal?.aborted) {
    journal.end(note, {
      status: 499,
      error: call.signal.aborted ? 'the caller has left' : 'another provider was faster',
      health: 'ignored',
    });
    return new CallerGone();
  }
  const failed = asAttemptFailed(error);
  if (failed instanceof AttemptFailed) {
    failed.failure = withoutKey(failed.failure, note.candidate.target.api_key);
    journal.end(note, { status: failed.failure.status, error: failed.failure.message, health: healthOf(failed.failure) });
  } else {
    journal.end(note, { status: 500, error: 'the gateway could not use the answer', health: 'ignored' });
  }
  return failed;
}

function asAttemptFailed(error: unknown): unknown {
  if (error instanceof OutgoingFailure) return new AttemptFailed(connectionFailure(error), error);
  // An answer that is nested too deeply for the stack.
  if (error instanceof RangeError) return new AttemptFailed(unusableAnswer(), error);
  return error;
}

/** A provider that asks for less patience than this is busy, not ill. */
const SHORT_WAIT_MS = 60_000;

/** What counts against a provider: not the caller's mistakes, not an operation that it doesn't have, and not a limit that soon passes. */
function healthOf({ blame, retry_after_ms }: UpstreamFailure): HealthSample['result'] {
  switch (blame) {
    case 'caller':
    case 'missing_endpoint':
      return 'ignored';
    case 'provider':
      return 'failure';
    case 'rate_limited':
      return retry_after_ms !== undefined && retry_after_ms <= SHORT_WAIT_MS ? 'ignored' : blame;
    case 'credentials':
    case 'exhausted_account':
      return blame;
  }
}

/** The text of an answer. Throws OutgoingFailure if it is longer than the limit. */
export async function textOf({ body }: OutgoingAnswer, limitBytes = ANSWER_BYTES): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > limitBytes) throw new OutgoingFailure('too_large', 'the answer is too large');
    pieces.push(piece);
  }
  const [only] = pieces;
  const whole = pieces.length === 1 && only ? Buffer.from(only.buffer, only.byteOffset, only.byteLength) : Buffer.concat(pieces);
  return whole.toString('utf8');
}

export const jsonOrText = (text: string): unknown => parsePlainJson(text) ?? text;
