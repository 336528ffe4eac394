import type { ChatCall } from '../../providers/adapter.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import type { IncomingChat, RunningCall } from '../call/running-call.ts';
import { askChat } from './ask-chat.ts';
import type { Asked } from './ask-provider.ts';
import { AttemptFailed } from './attempt-failure.ts';

/**
 * Asks one candidate for a stream. A provider that refuses the `stream_options` that the gateway has added is asked once more without
 * them, and is remembered. Neither its health nor the number of retries is charged for that.
 */
export async function askStream(
  run: RunningCall<IncomingChat>,
  candidate: Candidate,
  chat: ChatCall,
  signal?: AbortSignal,
): Promise<Asked> {
  const { ports, journal } = run;
  const ask = () => askChat(run, chat, { candidate, streamed: true, signal });
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AttemptFailed) || !refusesStreamOptions(error)) throw error;
    ports.memory.learnNoStreamUsage(candidate.target);
    journal.forget(candidate);
    return ask();
  }
}

const refusesStreamOptions = ({ injected, failure: { status, message, param } }: AttemptFailed): boolean =>
  injected.includes('stream_options') &&
  (status === 400 || status === 422) &&
  /stream_options|include_usage/.test(`${message} ${param ?? ''}`);
