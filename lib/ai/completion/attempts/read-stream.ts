import { createSseParser, type SseEvent, SseTooLarge } from '../../../platform/sse/sse-parser.ts';
import { wireUsage } from '../../pricing/wire-usage.ts';
import { type StreamDecoder, type StreamPart, UnusableAnswer } from '../../providers/adapter.ts';
import type { ChatChunk } from '../../wire/chat.ts';
import { brokleExtension } from '../brokle-extension.ts';
import { type AttemptNote, noteUsage } from '../call/call-journal.ts';
import { priceCall } from '../call/price-call.ts';
import type { IncomingChat, RunningCall } from '../call/running-call.ts';
import { type ChunkRules, FINISH_HOLD_MS, type OutgoingChunk } from '../rules/chunk-rules.ts';
import type { StreamFrame, StreamFrames } from '../stream-frame.ts';
import { type Asked, endAttempt, jsonOrText, textOf } from './ask-provider.ts';
import { AttemptFailed, endedEarly, unusableAnswer } from './attempt-failure.ts';
import { completionParts } from './completion-parts.ts';
import { noteChunk } from './produced-tokens.ts';

export interface StreamReading {
  rules: ChunkRules;
  /** Changes chunks before anything else sees them. */
  change?: ((chunk: ChatChunk) => ChatChunk) | undefined;
  /** Ends this reading alone. */
  signal?: AbortSignal | undefined;
}

/** When all is known but the provider's own end, the end is waited for a moment, so that the connection can be used again. */
const END_MS = 50;

const frameOf = ({ chunk, text }: OutgoingChunk): StreamFrame => ({ kind: 'chunk', chunk, text });

/**
 * Reads one provider's stream as frames for the caller. Nothing is yielded before content has come, so that a failure up to then can still
 * be mended without the caller's notice. Throws AttemptFailed if the stream fails or ends before its finish.
 */
export async function* readStream(run: RunningCall<IncomingChat>, asked: Asked, { rules, change, signal }: StreamReading): StreamFrames {
  const { journal, ports } = run;
  const { note } = asked;
  const reader = asked.response.body[Symbol.asyncIterator]();
  const batches = partsOf(asked, reader);
  let out: StreamFrame[] = [];
  let complete = false;
  const take = (part: StreamPart) => {
    if (part.kind === 'failure') throw new AttemptFailed(part.failure);
    if (part.kind === 'usage') noteUsage(note, part.usage);
    if (part.kind === 'chunk') noteChunk(note, part.chunk);
    if (part.kind === 'done') complete = true;
    const passed = part.kind === 'chunk' && change ? { kind: part.kind, chunk: change(part.chunk) } : part;
    for (const chunk of rules.push(passed)) out.push(frameOf(chunk));
  };
  try {
    while (!complete && !rules.stopped) {
      const next = rules.finished ? await afterFinish(batches, rules, run) : await batches.next();
      if (next === undefined || next.done) break;
      try {
        for (const part of next.value) take(part);
      } catch (error) {
        // What came before a failure belongs to the caller, unless another provider can still begin anew.
        if (journal.answered === note && out.length > 0) yield out;
        throw error;
      }
      if (rules.begun && out.length > 0 && !complete && !rules.stopped) {
        journal.firstContentMs ??= ports.clock.monotonicMs();
        journal.answered = note;
        yield out;
        out = [];
      }
    }
    for (const chunk of rules.end()) out.push(frameOf(chunk));
    if (!rules.finished) throw new AttemptFailed(endedEarly());
    journal.end(note, { status: asked.response.status, health: 'success' });
    yield [...out, ...lastFrames(run, note, rules)];
  } catch (error) {
    throw endAttempt(run, note, error, signal);
  } finally {
    void endReading(reader, batches, complete, run);
  }
}

/** The last frames of a stream that is complete: everything about the call is known now. */
export function lastFrames(run: RunningCall<IncomingChat>, note: AttemptNote, rules: ChunkRules): StreamFrame[] {
  const { journal, ports } = run;
  journal.firstContentMs ??= ports.clock.monotonicMs();
  journal.answered = note;
  journal.finishReasons.push(...rules.finishReasons);
  const price = priceCall(run);
  // Clients get the provider's own numbers, wherever it wrote them in OpenAI's form.
  const usage = note.reported?.dialect === 'openai' ? note.reported.fields : wireUsage(price.usage);
  return [...rules.close(brokleExtension(run, price), usage).map(frameOf), { kind: 'done' }];
}

/** Closes the connection, or leaves it for the next call if nothing but its end is missing. */
async function endReading(reader: AsyncIterator<Uint8Array>, batches: AsyncGenerator<unknown, void>, complete: boolean, run: RunningCall) {
  try {
    if (complete) await within(batches.next(), END_MS, run);
    // Not the generator's: it would wait for the provider's next bytes.
    await reader.return?.();
  } catch {
    // The provider has closed it.
  }
}

/** What still comes after the last finish. Nothing of the answer is missing any more, so that a connection that breaks now is only an end. */
async function afterFinish(batches: AsyncGenerator<StreamPart[], void>, rules: ChunkRules, run: RunningCall) {
  try {
    return await within(batches.next(), rules.ready ? END_MS : FINISH_HOLD_MS, run);
  } catch (error) {
    if (run.call.signal.aborted) throw error;
    return undefined;
  }
}

/** What comes within the time; undefined if nothing does. */
async function within<T>(coming: Promise<T>, ms: number, { ports }: RunningCall): Promise<T | undefined> {
  const came = new AbortController();
  coming.catch(() => {});
  const late = ports.clock.sleep(ms, came.signal).then(() => undefined);
  late.catch(() => {});
  try {
    return await Promise.race([coming, late]);
  } finally {
    // With a reason of its own: Node would make an error with a stack trace for each call.
    came.abort('came');
  }
}

/** The parts of a stream, in the batches in which they were read. */
async function* partsOf(asked: Asked, reader: AsyncIterator<Uint8Array>): AsyncGenerator<StreamPart[], void, undefined> {
  const { adapter, target, response } = asked;
  if (!isEventStream(response.headers))
    return yield wholeAnswer(asked, await textOf({ ...response, body: { [Symbol.asyncIterator]: () => reader } }));
  const parser = createSseParser();
  const decoder = adapter.stream(target);
  for await (const bytes of { [Symbol.asyncIterator]: () => reader }) {
    const parts = decode(decoder, () => parser.push(bytes));
    if (parts.length > 0) yield parts;
  }
  const rest = [...decode(decoder, () => parser.end()), ...decoder.end()];
  if (rest.length > 0) yield rest;
}

/** Some servers don't name the type of their streams. */
const isEventStream = (headers: Readonly<Record<string, string>>): boolean => !/\bjson\b|\bhtml\b/i.test(headers['content-type'] ?? '');

function decode(decoder: StreamDecoder, read: () => readonly SseEvent[]): StreamPart[] {
  const parts: StreamPart[] = [];
  try {
    for (const event of read()) parts.push(...decoder.decode(event));
  } catch (error) {
    if (!(error instanceof UnusableAnswer || error instanceof SseTooLarge)) throw error;
    // What came before the malformed event is good.
    parts.push({ kind: 'failure', failure: unusableAnswer() });
  }
  return parts;
}

/** A provider that answers a request for a stream with one JSON document: a failure inside a 200, or the whole answer at once. */
function wholeAnswer({ adapter, target }: Asked, text: string): StreamPart[] {
  const body = jsonOrText(text);
  const failure = adapter.failureIn(body);
  if (failure) return [{ kind: 'failure', failure }];
  try {
    const { completion, usage } = adapter.completion(body, target, text);
    return completionParts(completion, usage);
  } catch (error) {
    if (!(error instanceof UnusableAnswer)) throw error;
    return [{ kind: 'failure', failure: unusableAnswer() }];
  }
}
