import type { ChatChunk, ChunkChoice, ChunkDelta } from '../../../wire/chat.ts';
import { parseJson, parsePlainJson } from '../../../wire/exact-json.ts';
import type { SseEvent, StreamDecoder, StreamPart, Target, UpstreamFailure } from '../../adapter.ts';
import { type GeminiAnswer, type GeminiCandidate, geminiAnswer } from '../gemini-wire.ts';
import { type CandidateState, newCandidateState, readLogprobs, readParts } from './gemini-candidate.ts';
import { answerId } from './gemini-completion.ts';
import { geminiFailureIn } from './gemini-errors.ts';
import { geminiEnding } from './gemini-finish.ts';
import { geminiUsage } from './gemini-usage.ts';

/** Decodes the events of `streamGenerateContent?alt=sse`. Google sends no `[DONE]`: the stream is complete when every candidate has ended. */
export function geminiStream(target: Target): StreamDecoder {
  const candidates = new Map<number, CandidateState>();
  let opening: Pick<ChatChunk, 'id' | 'object' | 'created' | 'model'> | undefined;
  let usage: Record<string, unknown> = {};
  let failed = false;

  const fail = (failure: UpstreamFailure): StreamPart[] => {
    failed = true;
    return [{ kind: 'failure', failure }];
  };

  function decode({ data }: SseEvent): StreamPart[] {
    // Google sends no `[DONE]`, but servers in between may add it.
    if (failed || data === '' || data === '[DONE]') return [];
    // Only arguments are passed on as they are, so only there the digits of numbers matter.
    const body = data.includes('"functionCall"') ? parseJson(data) : parsePlainJson(data);
    const failure = geminiFailureIn(body);
    if (failure) return fail(failure);
    const answer = geminiAnswer(Array.isArray(body) ? body[0] : body);
    if (!answer) return fail(unusable("The provider's stream holds an event that is none of Google's."));
    opening ??= { id: answerId(answer), object: 'chat.completion.chunk', created: 0, model: answer.modelVersion ?? target.model };
    const choices = choicesOf(answer);
    if (typeof choices === 'string') return fail(unusable(choices));
    const parts: StreamPart[] = choices.length > 0 ? [{ kind: 'chunk', chunk: { ...opening, choices } }] : [];
    if (answer.usageMetadata) {
      usage = { ...usage, ...answer.usageMetadata };
      parts.push({ kind: 'usage', usage: geminiUsage(usage) });
    }
    return parts;
  }

  /** The choices of one event, or the reason why nothing usable will come. */
  function choicesOf({ candidates: listed, promptFeedback }: GeminiAnswer): ChunkChoice[] | string {
    if (promptFeedback?.blockReason && !listed?.length) return [blocked(promptFeedback.blockReason)];
    const choices: ChunkChoice[] = [];
    for (const candidate of listed ?? []) {
      const choice = choiceOf(candidate);
      if (typeof choice === 'string') return choice;
      if (choice) choices.push(choice);
    }
    return choices;
  }

  function blocked(reason: string): ChunkChoice {
    const delta = openingDelta(0);
    stateOf(0).finished = true;
    return { index: 0, delta, logprobs: null, finish_reason: 'content_filter', native_finish_reason: reason };
  }

  const openingDelta = (index: number): ChunkDelta => (candidates.has(index) ? {} : { role: 'assistant', content: '' });

  function stateOf(index: number): CandidateState {
    const known = candidates.get(index) ?? newCandidateState();
    candidates.set(index, known);
    return known;
  }

  function choiceOf(candidate: GeminiCandidate): ChunkChoice | string | undefined {
    const index = candidate.index ?? 0;
    const delta = openingDelta(index);
    const state = stateOf(index);
    const { text, reasoning, details, calls, images } = readParts(candidate, state);
    if (text !== '') delta.content = text;
    if (reasoning !== '') delta.reasoning_content = reasoning;
    if (details.length > 0) delta.reasoning_details = details;
    if (calls.length > 0) delta.tool_calls = calls;
    if (images.length > 0) delta.images = images;
    const { finishReason } = candidate;
    const ending =
      finishReason && !state.finished ? geminiEnding(finishReason, { content: state.content, calls: state.ids.size > 0 }) : null;
    if (ending !== null) state.finished = true;
    if (ending === 'unusable' && candidates.size === 1) return `The model ended with ${finishReason} and made nothing usable.`;
    if (ending === null && Object.keys(delta).length === 0) return undefined;
    return {
      index,
      delta,
      logprobs: readLogprobs(candidate),
      finish_reason: ending === 'unusable' ? 'stop' : ending,
      ...(ending !== null && { native_finish_reason: finishReason }),
    };
  }

  function end(): StreamPart[] {
    const states = [...candidates.values()];
    return !failed && states.length > 0 && states.every(({ finished }) => finished) ? [{ kind: 'done' }] : [];
  }

  return { decode, end };
}

const unusable = (message: string): UpstreamFailure => ({ status: 502, blame: 'provider', message, code: null, param: null });
