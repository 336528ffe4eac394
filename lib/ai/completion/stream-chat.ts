import type { Clock } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { AnswerEnd } from '../../platform/http/http-event.ts';
import type { ChatCall } from '../providers/adapter.ts';
import type { Candidate } from '../routing/plan-types.ts';
import { askStream } from './attempts/ask-stream.ts';
import { AttemptFailed, CallerGone, endedEarly, streamInterrupted } from './attempts/attempt-failure.ts';
import { completionParts } from './attempts/completion-parts.ts';
import { blankCutter, continuers, continuing, keepToldText, type ToldText } from './attempts/continue-stream.ts';
import { lastFrames, readStream, type StreamReading } from './attempts/read-stream.ts';
import { callsFor, severalAnswers } from './attempts/several-answers.ts';
import { tryCandidates } from './attempts/try-candidates.ts';
import { brokleHeaders } from './brokle-extension.ts';
import { abandoned, type CallEnd, CLIENT_LEFT, endOf, SUCCESS } from './call/call-end.ts';
import { keepChunk } from './call/capture.ts';
import { chatCallOf } from './call/chat-call-of.ts';
import { type IncomingChat, type RunningCall, throwIfGone, wantsUsageAtEnd } from './call/running-call.ts';
import { settleCall } from './call/settle-call.ts';
import { keepAlive } from './keep-alive.ts';
import { ChunkRules } from './rules/chunk-rules.ts';
import type { CompletionHead } from './rules/completion-head.ts';
import { keptStops } from './rules/kept-stops.ts';
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
  rules: ChunkRules;
}

/** Connections on which nothing moves for longer are closed by proxies on the way. */
const KEEP_ALIVE_MS = 12_000;

/**
 * Opens a stream. Resolves when content has come, or throws what the caller gets instead of a stream. If neither has happened after some
 * seconds, it resolves to a stream that is kept alive, in which a failure is told as a frame.
 */
export async function streamChat(run: RunningCall<IncomingChat>, ours: Omit<CompletionHead, 'model'>): Promise<ChatStream> {
  const { call, ports } = run;
  const { request } = call;
  const chat = chatCallOf(run);
  // Each attempt begins anew: nothing of a failed one has gone out.
  const rulesFor = ({ target }: Candidate) =>
    new ChunkRules({
      head: { ...ours, model: target.model },
      choices: request.n ?? 1,
      includeUsage: wantsUsageAtEnd(call),
      stops: keptStops(request, target.type),
    });
  const opening = tryCandidates(
    run,
    (candidate, signal) => openStream(run, candidate, chat, { rules: rulesFor(candidate), signal }),
    ({ more }) => void more.return(),
  );
  const opened = await orLate(opening, ports.clock, KEEP_ALIVE_MS);
  let end = CLIENT_LEFT;
  const frames = framesOf(run, opened ?? opening, chat, (how) => {
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
  chat: ChatCall,
  reading: StreamReading,
): Promise<OpenStream> {
  if (callsFor(run, candidate, chat) > 1) return openSeveral(run, candidate, chat, reading);
  const asked = await askStream(run, candidate, chat, reading.signal);
  const more = readStream(run, asked, reading);
  const first = await more.next();
  if (first.done) throw new AttemptFailed(endedEarly());
  return { candidate, first: first.value, more, rules: reading.rules };
}

/** A stream of answers that are there already, because the provider gives one for each call. */
async function openSeveral(
  run: RunningCall<IncomingChat>,
  candidate: Candidate,
  chat: ChatCall,
  reading: StreamReading,
): Promise<OpenStream> {
  const { rules, signal } = reading;
  const whole: ChatCall = { ...chat, request: { ...chat.request, stream: false } };
  const answer = await severalAnswers(run, candidate, whole, rules.head, signal);
  const chunks = completionParts(answer, undefined).flatMap((part) => rules.push(part));
  async function* more(): StreamFrames {
    const { answered } = run.journal;
    if (answered) yield lastFrames(run, answered, rules);
  }
  return { candidate, first: chunks.map(({ chunk, text }) => ({ kind: 'chunk', chunk, text })), more: more(), rules };
}

/** The result if it comes within the time, undefined if it comes later. */
async function orLate<T>(coming: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  const came = new AbortController();
  const late = clock.sleep(ms, came.signal).then(() => undefined);
  late.catch(() => {});
  try {
    return await Promise.race([coming, late]);
  } finally {
    // With a reason of its own: Node would make an error with a stack trace for each call.
    came.abort('came');
    // Whoever reads the frames learns of a failure that comes later.
    coming.catch(() => {});
  }
}

/** All frames of a stream. A failure becomes the last one, and `ended` learns how the stream ended before the last frame is written. */
async function* framesOf(
  run: RunningCall<IncomingChat>,
  opening: OpenStream | Promise<OpenStream>,
  chat: ChatCall,
  ended: (end: CallEnd) => void,
): StreamFrames {
  let candidate: Candidate | undefined;
  try {
    let opened: OpenStream | undefined = await opening;
    // The text is kept only where somebody could go on from it.
    const rest = continuers(run);
    const told = rest.length > 0 ? keepToldText(run) : undefined;
    while (opened) {
      const current: OpenStream = opened;
      candidate = current.candidate;
      try {
        noteFrames(run, told, current.first);
        yield current.first;
        for await (const batch of current.more) {
          noteFrames(run, told, batch);
          yield batch;
        }
        opened = undefined;
      } catch (error) {
        opened = await continued(run, chat, { error, rules: current.rules, told: told?.text(), rest });
      }
    }
    ended(SUCCESS);
  } catch (thrown) {
    const error = failureOf(run, thrown, candidate);
    if (!error) return;
    ended(endOf(error));
    yield [{ kind: 'failure', error }];
  }
}

function noteFrames(run: RunningCall, told: ToldText | undefined, frames: readonly StreamFrame[]): void {
  if (!told && !run.journal.kept) return;
  for (const frame of frames) {
    if (frame.kind !== 'chunk') continue;
    told?.note(frame.chunk);
    keepChunk(run, frame.chunk);
  }
}

/** The stream of a provider that goes on where another one has stopped. Throws the first one's failure if nobody does. */
async function continued(
  run: RunningCall<IncomingChat>,
  chat: ChatCall,
  { error, rules, told, rest }: { error: unknown; rules: ChunkRules; told: string | undefined; rest: Candidate[] },
): Promise<OpenStream> {
  if (!(error instanceof AttemptFailed) || told === undefined || told.trim() === '') throw error;
  for (let candidate = rest.shift(); candidate; candidate = rest.shift()) {
    throwIfGone(run.call);
    try {
      return await openStream(run, candidate, continuing(chat, told), { rules, change: blankCutter(told) });
    } catch (refusal) {
      if (!(refusal instanceof AttemptFailed)) throw refusal;
    }
  }
  throw error;
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
