import { answerFront } from '../../lib/ai/fronts/front.ts';
import { countTokens } from '../../lib/ai/fronts/messages/count-tokens.ts';
import { messagesFront } from '../../lib/ai/fronts/messages/messages-front.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { asksModel, incomingCall, inferenceEndpoint, withoutOptions, withScope } from './inference-endpoint.ts';

/** Anthropic's API, a part of the function of inference. */
export const messageEndpoints = [
  inferenceEndpoint({
    ...asksModel,
    id: 'create_message',
    method: 'POST',
    path: '/v1/messages',
    summary: 'Answer a chat, as Anthropic does',
    description: "Takes Anthropic's requests for every provider. An Anthropic upstream gets the request unchanged but for the model.",
    access: withScope('write:completions', 'write:routing'),
    handle(context, { body }) {
      const { brokle, ...sent } = withoutOptions(body);
      return answerFront(messagesFront, context.services.ports, sent, incomingCall(context, 'messages', brokle));
    },
  }),
  inferenceEndpoint({
    ...asksModel,
    id: 'count_message_tokens',
    method: 'POST',
    path: '/v1/messages/count_tokens',
    summary: 'Count the tokens of a request, as Anthropic does',
    description: 'Asked of Anthropic where the model is there, else estimated. It is not billed, and has a limit of its own.',
    access: withScope('write:completions', 'write:routing'),
    async handle(context, { body }) {
      const { brokle, ...sent } = withoutOptions(body);
      const input_tokens = await countTokens(context.services.ports, sent, incomingCall(context, 'messages', brokle));
      return reply<never>({ headers: { 'content-type': 'application/json' }, text: JSON.stringify({ input_tokens }) });
    },
  }),
];
