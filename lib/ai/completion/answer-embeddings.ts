import { estimatePromptTokens, mostPromptTokens } from '../pricing/token-estimate.ts';
import { type DecodedEmbeddings, UnusableAnswer } from '../providers/adapter.ts';
import type { Candidate } from '../routing/plan-types.ts';
import type { EmbeddingsRequest } from '../wire/embeddings-request.ts';
import { askProvider, endAttempt, jsonOrText, textOf } from './attempts/ask-provider.ts';
import { AttemptFailed, CallerGone, missingOperation, unusableAnswer } from './attempts/attempt-failure.ts';
import { tryCandidates } from './attempts/try-candidates.ts';
import { type BrokleExtension, brokleExtension, brokleHeaders } from './brokle-extension.ts';
import { beginCall, planCall, reserveCall } from './call/begin-call.ts';
import { abandoned, endOf, SUCCESS } from './call/call-end.ts';
import { noteUsage } from './call/call-journal.ts';
import { priceCall } from './call/price-call.ts';
import type { IncomingCall, RunningCall } from './call/running-call.ts';
import { settleCall } from './call/settle-call.ts';
import type { GatewayPorts } from './gateway-ports.ts';

export interface IncomingEmbeddings extends IncomingCall {
  request: EmbeddingsRequest;
  /** The caller's own text of `request`. */
  text: string;
}

export interface EmbeddingsAnswer {
  headers: Record<string, string>;
  embeddings: DecodedEmbeddings;
  prompt_tokens: number;
  brokle: BrokleExtension;
}

/** Embeds texts by the same way as a chat goes. Throws what the caller gets as an error. */
export async function answerEmbeddings(ports: GatewayPorts, call: IncomingEmbeddings): Promise<EmbeddingsAnswer> {
  const { request } = call;
  const wishes = {
    model: request.model,
    promptTokens: estimatePromptTokens(request),
    mostPromptTokens: () => mostPromptTokens(request),
    outputTokens: 1,
    choices: 1,
    features: [],
    streamed: false,
  };
  const run = await beginCall(ports, call, wishes);
  try {
    await planCall(run, wishes);
    await reserveCall(run, wishes);
    const embeddings = await tryCandidates(run, (candidate) => embed(run, candidate));
    const price = priceCall(run);
    const headers = brokleHeaders(run, price);
    await settleCall(run, SUCCESS);
    return { headers, embeddings, prompt_tokens: price.usage.prompt_tokens, brokle: brokleExtension(run, price) };
  } catch (error) {
    await settleCall(run, endOf(error));
    throw error instanceof CallerGone ? abandoned(call) : error;
  }
}

async function embed(run: RunningCall<IncomingEmbeddings>, candidate: Candidate): Promise<DecodedEmbeddings> {
  const { request, text } = run.call;
  const asked = await askProvider(run, {
    candidate,
    make(adapter, target) {
      if (!adapter.embeddings) throw new AttemptFailed(missingOperation());
      return adapter.embeddings({ request, text }, target);
    },
    streamed: false,
  });
  const { note, adapter, target, response } = asked;
  try {
    const body = jsonOrText(await textOf(response));
    const failure = adapter.failureIn(body);
    if (failure) throw new AttemptFailed(failure);
    if (!adapter.decodeEmbeddings) throw new AttemptFailed(missingOperation());
    const embeddings = adapter.decodeEmbeddings(body, target);
    if (embeddings.usage) noteUsage(note, embeddings.usage);
    run.journal.answered = note;
    run.journal.end(note, { status: response.status, health: 'success' });
    return embeddings;
  } catch (error) {
    throw endAttempt(run, note, error instanceof UnusableAnswer ? new AttemptFailed(unusableAnswer(), error) : error);
  }
}
