import { type ChatCall, type DecodedCompletion, UnusableAnswer } from '../../providers/adapter.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import type { ChatCompletion } from '../../wire/chat.ts';
import { noteUsage } from '../call/call-journal.ts';
import type { IncomingChat, RunningCall } from '../call/running-call.ts';
import type { CompletionHead } from '../rules/completion-head.ts';
import { mendCompletion } from '../rules/completion-rules.ts';
import { keptStops } from '../rules/kept-stops.ts';
import { keepOwnText } from '../rules/own-text.ts';
import { askChat } from './ask-chat.ts';
import { type Asked, endAttempt, jsonOrText, textOf } from './ask-provider.ts';
import { AttemptFailed, unusableAnswer } from './attempt-failure.ts';
import { noteAnswer } from './produced-tokens.ts';

/** Asks one candidate for a whole answer. */
export async function completeChat(
  run: RunningCall<IncomingChat>,
  candidate: Candidate,
  chat: ChatCall,
  ours: Omit<CompletionHead, 'model'>,
  signal?: AbortSignal,
): Promise<ChatCompletion> {
  const asked = await askChat(run, chat, { candidate, streamed: false, signal });
  const { note } = asked;
  try {
    const { completion: given, usage } = await readCompletion(asked);
    const { type, model } = asked.target;
    const completion = mendCompletion(given, { head: { ...ours, model }, stops: keptStops(chat.request, type) });
    if (usage) noteUsage(note, usage);
    noteAnswer(note, completion);
    run.journal.answered = note;
    run.journal.end(note, { status: asked.response.status, health: 'success' });
    return completion;
  } catch (error) {
    throw endAttempt(run, note, error, signal);
  }
}

async function readCompletion({ adapter, target, response }: Asked): Promise<DecodedCompletion> {
  const text = await textOf(response);
  const body = jsonOrText(text);
  const failure = adapter.failureIn(body);
  if (failure) throw new AttemptFailed(failure);
  try {
    const decoded = adapter.completion(body, target, text);
    if (decoded.completion === body) keepOwnText(decoded.completion, text);
    return decoded;
  } catch (error) {
    throw error instanceof UnusableAnswer ? new AttemptFailed(unusableAnswer(), error) : error;
  }
}
