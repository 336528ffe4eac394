import type { Clock } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { AnswerEnd } from '../../platform/http/http-event.ts';
import type { ChatCall } from '../providers/adapter.ts';
import type { Candidate } from '../routing/plan-types.ts';
import { askStream } from './attempts/ask-stream.ts';
import { AttemptFailed, CallerGone, endedEarly, streamInterrupted } from './attempts/attempt-failure.ts';
import { type ChunkRules, createChunkRules } from './attempts/plain-chunk-rules.ts';
import { readStream } from './attempts/read-stream.ts';
import { tryCandidates } from './attempts/try-candidates.ts';
import { brokleHeaders } from './brokle-extension.ts';
import { abandoned, CLIENT_LEFT, endOf, SUCCESS } from './call-end.ts';
import { chatCallOf } from './chat-call-of.ts';
import { keepAlive } from './keep-alive.ts';
import type { IncomingChat, RunningCall } from './running-call.ts';
import { type CallEnd, settleCall } from './settle-call.ts';
import type { StreamFrame, StreamFrames } from './stream-frame.ts';

/** A stream for a front to write. */
export interface ChatStream {
  kind: 'stream';
  headers: Record<string, string>;
  frames: AsyncIterable<readonly StreamFrame[]>;
  /** To be called when the answer is over, however it went. */
  onEnd(end: AnswerEnd): Promise<void>;
}

/** A stream whose content has begun. */
interface OpenStream {
  candidate: Candidate;
  first: readonly StreamFrame[];
  more: StreamFrames;
}

/** Connections on which nothing moves for longer are closed by proxies on the way. */
const KEEP_ALIVE_MS = 12_000;

/**
 * Opens a stream. Resolves when content has come, or throws what the caller gets instead of a stream. If neither has happened after some
 * seconds, it resolves to a stream that is kept alive, in which a failure is told as a frame.
 */
export async function streamChat(run: RunningCall<IncomingChat>, identity: { id: string; created: number }): Promise<ChatStream> {
  const { call, ports } = run;
  const { request } = call;
  const chat = chatCallOf(run);
  // Each attempt begins anew: nothing of a failed one has gone out.
  const rules = () =>
    createChunkRules({ ...identity, includeUsage: request.stream_options?.include_usage === true, choices: request.n ?? 1 });
  const opening = tryCandidates(
    run,
    (candidate, signal) => openStream(run, candidate, rules(), chat, signal),
    ({ more }) => void more.return(),
  );
  const opened = await orLate(opening, ports.clock, KEEP_ALIVE_MS);
  let end = CLIENT_LEFT;
  const frames = framesOf(run, opened ?? opening, (how) => {
    end = how;
  });
  return {
    kind: 'stream',
    headers: brokleHeaders(run),
    frames: keepAlive(frames, { clock: ports.clock, everyMs: KEEP_ALIVE_MS, atOnce: opened === undefined }),
    onEnd: ({ outcome }) => settleCall(run, outcome === 'client_closed' ? CLIENT_LEFT : end),
  };
}

async function openStream(
  run: RunningCall<IncomingChat>,
  candidate: Candidate,
  rules: ChunkRules,
  chat: ChatCall,
  signal?: AbortSignal,
): Promise<OpenStream> {
  const asked = await askStream(run, candidate, chat, signal);
  const more = readStream(run, asked, rules, signal);
  const first = await more.next();
  if (first.done) throw new AttemptFailed(endedEarly());
  return { candidate, first: first.value, more };
}

/** The result if it comes within the time, undefined if it comes later. */
async function orLate<T>(coming: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  const came = new AbortController();
  const late = clock.sleep(ms, came.signal).then(() => undefined);
  late.catch(() => {});
  try {
    return await Promise.race([coming, late]);
  } finally {
    came.abort();
    // Whoever reads the frames learns of a failure that comes later.
    coming.catch(() => {});
  }
}

/** All frames of a stream. A failure becomes the last one, and `ended` learns how the stream ended before the last frame is written. */
async function* framesOf(
  run: RunningCall<IncomingChat>,
  opening: OpenStream | Promise<OpenStream>,
  ended: (end: CallEnd) => void,
): StreamFrames {
  let candidate: Candidate | undefined;
  try {
    const opened = await opening;
    candidate = opened.candidate;
    yield opened.first;
    for await (const batch of opened.more) yield batch;
    ended(SUCCESS);
  } catch (thrown) {
    const error = failureOf(run, thrown, candidate);
    if (!error) return;
    ended(endOf(error));
    yield [{ kind: 'failure', error }];
  }
}

/** What the caller learns of a failure; undefined if nobody is there to learn it. */
function failureOf({ call }: RunningCall, thrown: unknown, candidate: Candidate | undefined): AppError | undefined {
  if (call.signal.aborted || thrown instanceof CallerGone) {
    const error = abandoned(call);
    return error.code === 'client_closed' ? undefined : error;
  }
  if (thrown instanceof AttemptFailed) return streamInterrupted(thrown.failure, candidate?.provider.provider_id ?? '');
  if (thrown instanceof AppError) return thrown;
  call.log.error('stream_failed', { error: thrown });
  return new AppError('internal', `internal error (request ${call.request_id})`, { code: 'internal_error' });
}
