import type { ReportedUsage } from '../../pricing/usage.ts';
import type { StreamPart } from '../../providers/adapter.ts';
import type { ChatChunk, ChunkChoice, ChunkDelta, FinishReason, WireUsage } from '../../wire/chat.ts';
import { type NativeEvent, nativeEventsOf, withNativeEvents } from '../../wire/native-answer.ts';
import { isObject } from '../../wire/wire-values.ts';
import { type ChoiceState, createChoiceState } from './choice-state.ts';
import { type CompletionHead, completionHead } from './completion-head.ts';
import { finishReason } from './finish-reasons.ts';
import { isContent, saysNothing } from './is-content.ts';
import { newCallId } from './tool-deltas.ts';

/** So long the last finish chunk waits for usage that comes after it. */
export const FINISH_HOLD_MS = 2_000;

/** A chunk for the client. `text` is its JSON if it is the provider's own, unchanged. */
export interface OutgoingChunk {
  chunk: ChatChunk;
  text?: string;
}

export interface ChunkRulesOptions {
  /** For providers that give no usable ones. */
  head: CompletionHead;
  /** The choices that the caller asked for. */
  choices?: number;
  /** The caller asked for a chunk with usage at the end. */
  includeUsage?: boolean;
  /** Stop sequences that the provider was not told. */
  stops?: readonly string[];
  callId?: () => string;
}

/**
 * The rules for what a client may see of a stream, whatever the provider sends: the opening only together with the first content, one id,
 * dense tool calls, one finish for each choice, and the last finish only when the cost is known.
 *
 * A continuation by another provider is pushed into the same rules: its opening is left out, and the head stays.
 */
export class ChunkRules {
  readonly #options: Required<ChunkRulesOptions>;
  readonly #states: ChoiceState[] = [];
  #head: CompletionHead | undefined;
  #begun = false;
  /** The provider said that the stream is complete, or the stream is over. */
  #over = false;
  #usageAtEnd = false;
  #usage: ReportedUsage | undefined;
  /** Chunks without content, which wait for content. */
  #openings: OutgoingChunk[] = [];
  #heldFinish: { chunk: ChatChunk; index: number } | undefined;
  /** Events of the provider whose chunk did not go out. They travel with the next one. */
  #events: readonly NativeEvent[] = [];

  constructor({ choices = 1, includeUsage = false, stops = [], callId = newCallId, head }: ChunkRulesOptions) {
    this.#options = { head, choices, includeUsage, stops, callId };
  }

  /** What stands in every chunk if the provider doesn't say. */
  get head(): CompletionHead {
    return this.#options.head;
  }

  /** Content has been given out: another provider can't answer instead any more. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Every choice has finished, and the last finish is held. */
  get finished(): boolean {
    if (!this.#heldFinish) return false;
    let seen = 0;
    for (const state of this.#states) {
      if (!state) continue;
      if (!state.finish) return false;
      seen++;
    }
    // A provider that doesn't know `n` gives one choice, which shows only at the end.
    return seen >= this.#options.choices || this.#over;
  }

  /** Nothing more is needed from the provider: usage, or the end, has come with the last finish or after it. */
  get ready(): boolean {
    return this.finished && (this.#over || this.#usageAtEnd || this.stopped);
  }

  /** The gateway's own stop sequence ended every choice, so that the upstream call should be ended. */
  get stopped(): boolean {
    const { stops, choices } = this.#options;
    return stops.length > 0 && this.#states.length >= choices && this.#states.every((state) => state.cut);
  }

  /** The last that the provider said, field by field. */
  get usage(): ReportedUsage | undefined {
    return this.#usage;
  }

  get finishReasons(): FinishReason[] {
    return this.#states.flatMap((state) => state.finish ?? []);
  }

  /** Takes a part, and returns the chunks that may go out now. Failures are not for these rules. */
  push(part: StreamPart): OutgoingChunk[] {
    if (part.kind === 'chunk') return this.#takeChunk(part.chunk, part.text);
    if (part.kind === 'usage') {
      const { usage } = part;
      this.#usage = this.#usage ? { ...this.#usage, ...usage, fields: { ...this.#usage.fields, ...usage.fields } } : usage;
      // Counts that grow during the stream are not the last ones.
      this.#usageAtEnd = this.finished;
    } else if (part.kind === 'done') return this.#takeDone();
    return [];
  }

  /** The stream is over, with or without a finish. Returns the text that was held back for a stop sequence. */
  end(): OutgoingChunk[] {
    this.#over = true;
    const out: OutgoingChunk[] = [];
    this.#states.forEach((state, index) => {
      if (state.finish) return;
      for (const delta of state.end(false)) {
        this.#begin(out);
        out.push({ chunk: this.#made({}, { index, delta, logprobs: null, finish_reason: null }) });
      }
    });
    return out;
  }

  /** Returns what is left of a finished stream: the opening if there was no content, the last finish, and usage if it was asked for. */
  close(brokle: unknown, usage: WireUsage | Readonly<Record<string, unknown>> | undefined): OutgoingChunk[] {
    const out: OutgoingChunk[] = [];
    this.#begin(out);
    const last = this.#heldFinish?.chunk;
    this.#heldFinish = undefined;
    if (last) out.push({ chunk: brokle === undefined ? last : { ...last, brokle } });
    if (this.#options.includeUsage && usage) {
      const head = this.#head ?? this.#options.head;
      out.push({ chunk: { ...head, object: 'chat.completion.chunk', choices: [], usage: usage as WireUsage } });
    }
    return out;
  }

  #takeChunk(given: ChatChunk, text: string | undefined): OutgoingChunk[] {
    const choices: unknown = given.choices;
    if (!Array.isArray(choices)) return [];
    if (text !== undefined && this.#isPlain(given)) return [{ chunk: given, text }];
    this.#head ??= completionHead(given, this.#options.head);
    const chunk = this.#events.length > 0 ? withNativeEvents({ ...given }, [...this.#events, ...(nativeEventsOf(given) ?? [])]) : given;
    this.#events = [];
    const sameHead = this.#hasHead(chunk);
    const out: OutgoingChunk[] = [];
    let carried = false;
    for (let place = 0; place < choices.length; place++) {
      const choice: unknown = choices[place];
      if (!isObject(choice)) continue;
      const index = choiceIndex(choice.index, place);
      // Several choices in one chunk go out one by one, as clients know it.
      const keep = sameHead && choices.length === 1 && choice.index === index && isObject(choice.delta);
      const carrier = carried ? withoutSymbols(chunk) : chunk;
      if (this.#takeChoice(carrier, { ...(choice as ChunkChoice), index }, keep ? text : undefined, out)) carried = true;
    }
    if (!carried) this.#events = nativeEventsOf(chunk) ?? [];
    return out;
  }

  /** Returns whether the chunk itself, and not only something made for it, goes out or is held. */
  #takeChoice(chunk: ChatChunk, choice: ChunkChoice, text: string | undefined, out: OutgoingChunk[]): boolean {
    const { index } = choice;
    const state = this.#stateAt(index);
    const { delta, changed } = state.take(isObject(choice.delta) ? choice.delta : {});
    const finish = state.finish ? null : finishReason(state.cut ? 'stop' : choice.finish_reason, state.called);
    const same = !changed && text !== undefined && (choice.finish_reason ?? null) === null;
    const own = (part: ChunkDelta, carrier = chunk): OutgoingChunk =>
      same ? { chunk, text } : { chunk: this.#made(carrier, { ...choice, delta: part, finish_reason: null }) };
    let carried = false;

    if (isContent(delta)) {
      // A held finish of another choice was not the last one.
      if (this.#heldFinish?.index !== index) this.#releaseFinish(out);
      this.#begin(out);
      if (!state.opened && delta.role === undefined) out.push(this.#opening(index, delta));
      state.opened = true;
      out.push(own(delta));
      carried = true;
    } else if (!state.opened && (delta.role !== undefined || finish !== null)) {
      state.opened = true;
      const opening = own({ role: 'assistant', content: '', ...delta }, finish === null ? chunk : withoutSymbols(chunk));
      (this.#begun ? out : this.#openings).push(opening);
      carried = finish === null;
    } else if (!saysNothing(delta) || (same && this.#begun)) {
      (this.#begun ? out : this.#openings).push(own(delta));
      carried = true;
    }
    if (finish === null) return carried;
    this.#finish(carried ? withoutSymbols(chunk) : chunk, choice, finish, out);
    return true;
  }

  #finish(chunk: ChatChunk, choice: ChunkChoice, finish: FinishReason, out: OutgoingChunk[]): void {
    const state = this.#stateAt(choice.index);
    const bare = withoutSymbols(chunk);
    for (const delta of state.end()) {
      this.#begin(out);
      out.push({ chunk: this.#made(bare, { ...choice, delta, finish_reason: null }) });
    }
    this.#releaseFinish(out);
    state.finish = finish;
    const last = { ...choice, delta: {}, logprobs: null, finish_reason: finish };
    this.#heldFinish = { chunk: this.#made(chunk, last), index: choice.index };
  }

  /** The provider says that all is said, so choices without a finish have ended as well. */
  #takeDone(): OutgoingChunk[] {
    this.#over = true;
    const out: OutgoingChunk[] = [];
    this.#states.forEach((state, index) => {
      if (state.finish) return;
      const reason = finishReason('stop', state.called) ?? 'stop';
      this.#finish(this.#made({}, { index, delta: {}, finish_reason: null }), { index, delta: {}, finish_reason: null }, reason, out);
    });
    return out;
  }

  #opening(index: number, { tool_calls }: ChunkDelta): OutgoingChunk {
    const delta: ChunkDelta = { role: 'assistant', content: tool_calls ? null : '' };
    return { chunk: this.#made({}, { index, delta, logprobs: null, finish_reason: null }) };
  }

  #begin(out: OutgoingChunk[]): void {
    this.#begun = true;
    if (this.#openings.length === 0) return;
    out.push(...this.#openings);
    this.#openings = [];
  }

  #releaseFinish(out: OutgoingChunk[]): void {
    if (!this.#heldFinish) return;
    this.#begin(out);
    out.push({ chunk: this.#heldFinish.chunk });
    this.#heldFinish = undefined;
  }

  #stateAt(index: number): ChoiceState {
    this.#states[index] ??= createChoiceState(this.#options.stops, this.#options.callId);
    return this.#states[index];
  }

  /** Most chunks of a stream are a piece of text that needs no look at any rule. */
  #isPlain(chunk: ChatChunk): boolean {
    const [choice] = chunk.choices;
    if (!choice || chunk.choices.length !== 1 || !this.#begun || this.#heldFinish || !this.#hasHead(chunk)) return false;
    const { delta, finish_reason: finish, index } = choice;
    if (this.#options.stops.length > 0 || this.#events.length > 0 || !this.#states[index]?.opened) return false;
    for (const name in delta) if (name !== 'content') return false;
    return typeof delta.content === 'string' && delta.content !== '' && (finish === null || finish === undefined);
  }

  #hasHead(chunk: ChatChunk): boolean {
    const head = this.#head;
    if (!head || (chunk.usage !== null && chunk.usage !== undefined)) return false;
    return chunk.id === head.id && chunk.created === head.created && chunk.model === head.model && chunk.object === CHUNK;
  }

  /** A chunk like this one, with our head and this one choice. */
  #made(chunk: Partial<ChatChunk>, choice: ChunkChoice): ChatChunk {
    const { usage: _usage, ...others } = chunk;
    const made: ChatChunk = { ...others, ...(this.#head ?? this.#options.head), object: CHUNK, choices: [choice] };
    if (this.#options.includeUsage) made.usage = null;
    return made;
  }
}

const CHUNK = 'chat.completion.chunk';
const MOST_CHOICES = 1_024;

const choiceIndex = (index: unknown, place: number) =>
  typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < MOST_CHOICES ? index : place;

/** A copy without the provider's own events, which must not go out twice. */
const withoutSymbols = (chunk: ChatChunk): ChatChunk => (nativeEventsOf(chunk) ? { ...chunk, ...withNativeEvents({}, []) } : chunk);
