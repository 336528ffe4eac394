import { createSseParser } from '../../../platform/sse/sse-parser.ts';
import { wireUsage } from '../../pricing/wire-usage.ts';
import { type StreamDecoder, type StreamPart, UnusableAnswer } from '../../providers/adapter.ts';
import type { ChatChunk } from '../../wire/chat.ts';
import { brokleExtension } from '../brokle-extension.ts';
import { noteUsage } from '../call-journal.ts';
import { priceCall } from '../price-call.ts';
import type { IncomingChat, RunningCall } from '../running-call.ts';
import type { StreamFrame, StreamFrames } from '../stream-frame.ts';
import { type Asked, endAttempt, jsonOrText, textOf } from './ask-provider.ts';
import { AttemptFailed, endedEarly, unusableAnswer } from './attempt-failure.ts';
import { completionParts } from './completion-parts.ts';
import type { ChunkRules } from './plain-chunk-rules.ts';
import { noteChunk } from './produced-tokens.ts';

/** Usage comes after the finish. The finish waits for it no longer than this. */
const HOLD_FINISH_MS = 2_000;

export interface StreamReading {
  rules: ChunkRules;
  /** Changes chunks before anything else sees them. */
  change?: ((chunk: ChatChunk) => ChatChunk) | undefined;
  /** Ends this reading alone. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads one provider's stream as frames for the caller. Nothing is yielded before content has come, so that a failure up to then can still
 * be mended without the caller's notice. Throws AttemptFailed if the stream fails or ends before its finish.
 */
export async function* readStream(run: RunningCall<IncomingChat>, asked: Asked, { rules, change, signal }: StreamReading): StreamFrames {
  const { journal, ports } = run;
  const { note } = asked;
  const batches = partsOf(asked)[Symbol.asyncIterator]();
  try {
    let held: StreamFrame[] = [];
    let started = false;
    for (let complete = false; !complete; ) {
      const next = await (rules.holdsFinish ? within(batches.next(), HOLD_FINISH_MS, run) : batches.next());
      if (next === undefined || next.done) break;
      for (const part of next.value) {
        switch (part.kind) {
          case 'usage':
            noteUsage(note, part.usage);
            break;
          case 'failure':
            // What came before belongs to the caller, unless another provider can still begin anew.
            if (started && held.length > 0) yield held;
            throw new AttemptFailed(part.failure);
          case 'done':
            complete = true;
            break;
          case 'chunk':
            noteChunk(note, part.chunk);
            for (const chunk of change ? rules.accept(change(part.chunk), undefined) : rules.accept(part.chunk, part.text)) {
              held.push({ kind: 'chunk', ...chunk });
            }
        }
      }
      if (held.length > 0 && !complete) {
        journal.firstContentMs ??= ports.clock.monotonicMs();
        journal.answered = note;
        yield held;
        started = true;
        held = [];
      }
    }
    if (!rules.hasFinished) throw new AttemptFailed(endedEarly());
    journal.answered = note;
    journal.end(note, { status: asked.response.status, health: 'success' });
    journal.finishReasons.push(...rules.finishReasons);
    const price = priceCall(run);
    for (const chunk of rules.finish(wireUsage(price.usage), () => brokleExtension(run, price))) held.push({ kind: 'chunk', ...chunk });
    yield [...held, { kind: 'done' }];
  } catch (error) {
    throw endAttempt(run, note, error, signal);
  } finally {
    void Promise.resolve(batches.return?.(undefined)).catch(() => {});
  }
}

/** What comes within the time; undefined if nothing does. */
async function within<T>(coming: Promise<T>, ms: number, { ports }: RunningCall): Promise<T | undefined> {
  const came = new AbortController();
  coming.catch(() => {});
  try {
    return await Promise.race([coming, ports.clock.sleep(ms, came.signal).then(() => undefined)]);
  } finally {
    came.abort();
  }
}

/** The parts of a stream, in the batches in which they were read. */
async function* partsOf(asked: Asked): AsyncGenerator<StreamPart[], void, undefined> {
  const { adapter, target, response } = asked;
  if (!isEventStream(response.headers)) return yield wholeAnswer(asked, jsonOrText(await textOf(response)));
  const parser = createSseParser();
  const decoder = adapter.stream(target);
  for await (const bytes of response.body) {
    const parts = decode(decoder, parser.push(bytes));
    if (parts.length > 0) yield parts;
  }
  const rest = [...decode(decoder, parser.end()), ...decoder.end()];
  if (rest.length > 0) yield rest;
}

/** Some servers don't name the type of their streams. */
const isEventStream = (headers: Readonly<Record<string, string>>): boolean => !/\bjson\b|\bhtml\b/i.test(headers['content-type'] ?? '');

function decode(decoder: StreamDecoder, events: ReturnType<ReturnType<typeof createSseParser>['push']>): StreamPart[] {
  const parts: StreamPart[] = [];
  try {
    for (const event of events) parts.push(...decoder.decode(event));
  } catch (error) {
    if (!(error instanceof UnusableAnswer)) throw error;
    // What came before the malformed event is good.
    parts.push({ kind: 'failure', failure: unusableAnswer() });
  }
  return parts;
}

/** A provider that answers a request for a stream with one JSON document: a failure inside a 200, or the whole answer at once. */
function wholeAnswer({ adapter, target }: Asked, body: unknown): StreamPart[] {
  const failure = adapter.failureIn(body);
  if (failure) return [{ kind: 'failure', failure }];
  try {
    const { completion, usage } = adapter.completion(body, target);
    return completionParts(completion, usage);
  } catch (error) {
    if (!(error instanceof UnusableAnswer)) throw error;
    return [{ kind: 'failure', failure: unusableAnswer() }];
  }
}
