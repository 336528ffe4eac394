import { AppError } from '../../../platform/errors.ts';
import { OutgoingFailure } from '../../../platform/outgoing/outgoing-failure.ts';
import { jsonOrText, textOf } from '../../completion/attempts/ask-provider.ts';
import { noProvider } from '../../completion/attempts/attempt-failure.ts';
import { type IncomingCall, throwIfGone } from '../../completion/call/running-call.ts';
import type { GatewayPorts } from '../../completion/gateway-ports.ts';
import { estimatePromptTokens } from '../../pricing/token-estimate.ts';
import { anthropicAdapter } from '../../providers/anthropic/anthropic-adapter.ts';
import { tokenCountIn, tokenCountRequest } from '../../providers/anthropic/anthropic-token-count.ts';
import type { Candidate } from '../../routing/plan-types.ts';
import { upstreamError } from '../../wire/upstream-error.ts';
import { checkMessagesRequest } from './messages-request.ts';

/** A count is worth no long wait: the estimate is good enough. */
const TIMEOUTS = { connectMs: 3_000, firstByteMs: 8_000, idleMs: 8_000, totalMs: 10_000 };
const ANSWER_BYTES = 64 * 1024;

/**
 * `POST /v1/messages/count_tokens`: asked of Anthropic where the model is there, else the gateway's estimate. It costs nothing, so nothing is
 * reserved, billed or recorded. A refusal that the caller has to mend is passed on; any other failure becomes the estimate.
 */
export async function countTokens(
  ports: GatewayPorts,
  { value, text }: { value: unknown; text: string },
  call: IncomingCall,
): Promise<number> {
  const { principal } = call;
  const messages = checkMessagesRequest(value);
  const settings = await ports.settingsOf(principal.project_id);
  if (!settings.active) throw new AppError('forbidden', 'The project is paused.', { code: 'project_inactive' });
  throwIfGone(call);
  const estimate = Math.max(1, estimatePromptTokens(messages));
  const plan = ports.plan(
    {
      model: messages.model,
      prompt_tokens: estimate,
      max_output_tokens: 1,
      priority: undefined,
      required_features: [],
      exclude_providers: settings.policy.exclude_providers ?? [],
      fallbacks: [],
    },
    settings,
    ports.healthOf(principal.organization_id),
    ports.random,
  );
  const [first] = plan.attempts;
  if (!first) throw noProvider(messages.model, plan.reason);
  return (first.target.type === 'anthropic' ? await askAnthropic(ports, call, first, text) : undefined) ?? estimate;
}

async function askAnthropic(
  ports: GatewayPorts,
  call: IncomingCall,
  { target, provider }: Candidate,
  text: string,
): Promise<number | undefined> {
  const { method, url, headers, body } = tokenCountRequest(text, target, call.forwarded);
  try {
    const response = await ports.send(target, {
      method,
      url,
      headers,
      body,
      signal: call.signal,
      timeouts: TIMEOUTS,
      limitBytes: ANSWER_BYTES,
    });
    const answer = jsonOrText(await textOf(response, ANSWER_BYTES));
    if (response.status < 400) return tokenCountIn(answer);
    const failure = anthropicAdapter.failure(response.status, response.headers, answer);
    // Some servers that speak Anthropic don't have this endpoint.
    if (failure.blame === 'caller' && failure.status !== 404) throw upstreamError(failure, provider.provider_id);
  } catch (error) {
    if (!(error instanceof OutgoingFailure)) throw error;
    throwIfGone(call);
  }
  return undefined;
}
