import type { ChatCall } from '../../providers/adapter.ts';
import { renameTools } from '../../providers/tool-names.ts';
import type { RunningCall } from '../call/running-call.ts';
import type { Question } from './ask-provider.ts';
import { type Asked, askProvider } from './ask-provider.ts';
import { AttemptFailed } from './attempt-failure.ts';

/**
 * Asks one candidate for an answer to a chat. A server that turns out not to have the legacy operation, which was asked because its kind
 * usually has it, is asked the same as a chat. Neither its health nor the number of retries is charged for that.
 */
export async function askChat(run: RunningCall, given: ChatCall, question: Omit<Question, 'make'>): Promise<Asked> {
  const { target } = question.candidate;
  const renamed = given.native?.dialect === target.type ? undefined : renameTools(given, run.ports.adapterFor(target.type).toolNames);
  const asked = await askAsChat(run, renamed?.call ?? given, question);
  return renamed ? { ...asked, adapter: renamed.restoring(asked.adapter) } : asked;
}

async function askAsChat(run: RunningCall, chat: ChatCall, question: Omit<Question, 'make'>): Promise<Asked> {
  const ask = (call: ChatCall) => askProvider(run, { ...question, make: (adapter, target) => adapter.chat(call, target) });
  try {
    return await ask(chat);
  } catch (error) {
    if (!(error instanceof AttemptFailed) || error.failure.blame !== 'missing_endpoint' || !canBeChat(chat)) throw error;
    run.journal.forget(question.candidate);
    const { native: _legacy, ...plain } = chat;
    return ask(plain);
  }
}

/** A prompt of tokens cannot. */
const canBeChat = ({ native, request }: ChatCall): boolean =>
  native?.dialect === 'completions' && typeof request.messages[0]?.content === 'string';
