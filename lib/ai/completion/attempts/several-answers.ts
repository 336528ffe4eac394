import type { ChatCall } from '../../providers/adapter.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import type { ChatCompletion } from '../../wire/chat.ts';
import { requestError } from '../../wire/request-error.ts';
import type { IncomingChat, RunningCall } from '../call/running-call.ts';
import type { CompletionHead } from '../rules/completion-head.ts';
import { completeChat } from './complete-chat.ts';

/** More calls at once would be a way to cause many calls with one. */
const MOST_CALLS = 16;

/** How many calls it takes to get the wanted number of answers: some models give one for each. */
export const callsFor = ({ ports }: RunningCall, { target }: Candidate, { request: { n } }: ChatCall): number =>
  typeof n === 'number' && n > 1 && ports.adapterFor(target.type).givesOneAnswer?.(target.model) ? n : 1;

/** Several answers of a provider that gives one for each call, as one answer. If one call fails, the attempt has failed. */
export async function severalAnswers(
  run: RunningCall<IncomingChat>,
  candidate: Candidate,
  chat: ChatCall,
  ours: Omit<CompletionHead, 'model'>,
  signal: AbortSignal = run.call.signal,
): Promise<ChatCompletion> {
  const calls = callsFor(run, candidate, chat);
  if (calls > MOST_CALLS) {
    throw requestError('n', `Invalid 'n': this provider gives one answer for each call, and at most ${MOST_CALLS} calls are made at once.`);
  }
  const { n: _n, ...request } = chat.request;
  const { text: _text, ...others } = chat;
  const one: ChatCall = { ...others, request };
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  try {
    const answers = await Promise.all(Array.from({ length: calls }, () => completeChat(run, candidate, one, ours, either)));
    const [first] = answers;
    if (!first) throw new Error('no call was made');
    const choices = answers.flatMap((answer) => answer.choices).map((choice, index) => ({ ...choice, index }));
    // Its usage would be that of one call.
    const { usage: _usage, ...head } = first;
    return { ...head, choices };
  } catch (error) {
    failed.abort();
    throw error;
  }
}
