import { newId } from '../../../../platform/ids.ts';
import type { ChatChoice } from '../../../wire/chat.ts';
import { hasRiskyNumber, parseJson } from '../../../wire/exact-json.ts';
import { type DecodedCompletion, type Target, UnusableAnswer } from '../../adapter.ts';
import { type GeminiAnswer, type GeminiCandidate, geminiAnswer } from '../gemini-wire.ts';
import { newCandidateState, type ReadCall, readLogprobs, readParts } from './gemini-candidate.ts';
import { geminiEnding } from './gemini-finish.ts';
import { geminiUsage, geminiWireUsage } from './gemini-usage.ts';

/** The answer to `generateContent` as a chat completion. `created` is for the caller of the adapter to fill in. */
export function geminiCompletion(body: unknown, target: Target, text = ''): DecodedCompletion {
  // Arguments of calls are written as they came, so their numbers must keep their digits.
  const exact = text.includes('"functionCall"') && hasRiskyNumber(text);
  const answer = geminiAnswer(exact ? parseJson(text) : body);
  if (!answer) throw new UnusableAnswer("The answer is not one of Google's.");
  const { usageMetadata } = answer;
  return {
    completion: {
      id: answerId(answer),
      object: 'chat.completion',
      created: 0,
      model: answer.modelVersion ?? target.model,
      choices: choicesOf(answer),
      ...(usageMetadata && { usage: geminiWireUsage(usageMetadata) }),
    },
    usage: usageMetadata ? geminiUsage(usageMetadata) : undefined,
  };
}

export const answerId = ({ responseId }: GeminiAnswer): string =>
  `chatcmpl-${typeof responseId === 'string' && responseId !== '' ? responseId : newId()}`;

/** Every answer has a choice. If no candidate is usable, it is no answer. */
function choicesOf({ candidates: listed, promptFeedback }: GeminiAnswer): ChatChoice[] {
  const candidates = listed ?? [];
  if (candidates.length === 0) {
    if (!promptFeedback?.blockReason) throw new UnusableAnswer("Google's answer has no candidates.");
    return [blockedChoice(promptFeedback.blockReason)];
  }
  const choices = candidates.map(choiceOf);
  if (choices.some(({ usable }) => usable)) return choices.map(({ choice }) => choice);
  throw new UnusableAnswer(
    `The model ended with ${candidates.map(({ finishReason = 'no reason' }) => finishReason).join(', ')} and made nothing usable.`,
  );
}

const blockedChoice = (reason: string): ChatChoice => ({
  index: 0,
  message: { role: 'assistant', content: null, refusal: null },
  logprobs: null,
  finish_reason: 'content_filter',
  native_finish_reason: reason,
});

function choiceOf(candidate: GeminiCandidate): { choice: ChatChoice; usable: boolean } {
  const state = newCandidateState();
  const { text, reasoning, details, calls, images } = readParts(candidate, state);
  const reason = candidate.finishReason ?? '';
  const ending = geminiEnding(reason, { content: state.content, calls: calls.length > 0 });
  return {
    usable: ending !== 'unusable',
    choice: {
      index: candidate.index ?? 0,
      message: {
        role: 'assistant',
        content: text === '' && calls.length > 0 ? null : text,
        refusal: null,
        ...(reasoning !== '' && { reasoning_content: reasoning }),
        ...(details.length > 0 && { reasoning_details: details }),
        ...(calls.length > 0 && { tool_calls: calls.map(withoutIndex) }),
        ...(images.length > 0 && { images }),
      },
      logprobs: readLogprobs(candidate),
      finish_reason: ending === 'unusable' ? 'stop' : ending,
      native_finish_reason: reason,
    },
  };
}

const withoutIndex = ({ index: _, ...call }: ReadCall): Omit<ReadCall, 'index'> => call;
